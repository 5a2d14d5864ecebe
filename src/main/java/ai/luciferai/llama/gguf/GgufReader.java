package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads GGUF files of versions 2 and 3, little and big endian, in one file or split.
 *
 * <p>The file is hostile until proven otherwise: a count is believed only when the remaining bytes can hold it, sizes are computed
 * with exact arithmetic, offsets must follow each other without gap or overlap and end within the file. Only the header is touched,
 * so the size of the tensors does not matter.
 *
 * <p><i>Source</i>: the format from docs/gguf.md of ggml-org/ggml, quoted beside the reads; what is accepted as in
 * ggml/src/gguf.cpp of llama.cpp v0.5.0, with these differences: big-endian files and arrays of arrays are read (the preflight
 * refuses them for llama.cpp), texts must be UTF-8 and booleans 0 or 1, as the format says.
 */
public final class GgufReader {

    /** Newest version of the format that is read. */
    public static final int VERSION = 3;

    private static final String SPLIT_NO = "split.no";
    private static final String SPLIT_COUNT = "split.count";
    private static final String SPLIT_TENSORS = "split.tensors.count";

    private static final int MAX_KEY_BYTES = 65_535;
    /** Far above any chat template; keeps one damaged length from filling the heap. */
    private static final int MAX_TEXT_BYTES = 64 << 20;
    /** GGUF_MAX_ARRAY_ELEMENTS of gguf.cpp. */
    private static final int MAX_ARRAY_ELEMENTS = 1 << 30;
    private static final int MAX_ARRAY_DEPTH = 4;

    /** Fewest bytes of a pair: length and one byte of the key, type, value of one byte. */
    private static final int MIN_PAIR_BYTES = 8 + 1 + 4 + 1;
    /** Fewest bytes of a row of the tensor table: length of the name, number of dimensions, type, offset. */
    private static final int MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;

    private GgufReader() {}

    /**
     * Opens a model; of a split one, the path names the first part and all parts are read.
     *
     * @throws InvalidFileException when any part is missing or not a sound GGUF file
     * @throws IOException          when the operating system cannot map a file
     */
    public static GgufFile read(Path path) throws IOException {
        var mappings = new ArrayList<MappedFile>();
        try {
            return readParts(path, mappings);
        } catch (InternalError fault) {
            // What the JVM makes of a bus error: the file has become shorter under the mapping.
            mappings.forEach(MappedFile::close);
            throw new InvalidFileException(path, "file", "a file that keeps its size while it is read", fault.getMessage());
        } catch (Throwable fault) {
            mappings.forEach(MappedFile::close);
            throw fault;
        }
    }

    private static GgufFile readParts(Path path, List<MappedFile> mappings) throws IOException {
        Header first = readPart(path, 0, mappings);
        var parts = new ArrayList<>(List.of(first.part()));
        var tensors = new LinkedHashMap<String, TensorInfo>(first.tensors);
        for (Path next : SplitName.others(path, splitCount(first))) {
            Header header = readPart(next, parts.size(), mappings);
            requirePart(header, parts.size(), first);
            parts.add(header.part());
            for (TensorInfo tensor : header.tensors.values()) {
                if (tensors.putIfAbsent(tensor.name(), tensor) != null) {
                    throw new InvalidFileException(next, "tensor '" + tensor.name() + "'", "a name that no earlier part has",
                            "a duplicate");
                }
            }
        }
        requireTensorCount(first, parts.size(), tensors.size());
        return new GgufFile(first.version, first.order, first.metadata, parts, mappings, tensors);
    }

    // --- split files ---------------------------------------------------------------------------------------------------

    private static int splitCount(Header first) {
        if (!first.metadata.has(SPLIT_COUNT)) {
            return 1;
        }
        int count = (int) typed(first.metadata, SPLIT_COUNT, GgufType.UINT16);
        if (count > 1 && typed(first.metadata, SPLIT_NO, GgufType.UINT16) != 0) {
            throw new InvalidFileException(first.path, "metadata key '" + SPLIT_NO + "'", "0, the first part",
                    first.metadata.integer(SPLIT_NO) + " of " + count,
                    "give the first part, " + SplitName.firstOf(first.path, count));
        }
        return Math.max(count, 1);
    }

    private static void requirePart(Header header, int number, Header first) {
        long no = typed(header.metadata, SPLIT_NO, GgufType.UINT16);
        if (no != number) {
            throw header.metadata.wrong(SPLIT_NO, Integer.toString(number), Long.toString(no));
        }
        if (header.order != first.order) {
            throw new InvalidFileException(header.path, "header", "the byte order of the first part", header.order.toString());
        }
    }

    private static void requireTensorCount(Header first, int parts, int tensors) {
        if (parts > 1) {
            long expected = typed(first.metadata, SPLIT_TENSORS, GgufType.INT32);
            if (expected != tensors) {
                throw first.metadata.wrong(SPLIT_TENSORS, tensors + ", the tensors in all parts", Long.toString(expected));
            }
        }
    }

    /** llama.cpp insists on the exact type of these keys, for other parts than the first with an assertion. */
    private static long typed(Metadata metadata, String key, GgufType type) {
        Metadata.Value value = metadata.get(key);
        if (value != null && value.type() != type) {
            throw metadata.wrong(key, "a value of type " + type.label(), value.type().label());
        }
        return metadata.integer(key);
    }

    // --- one file ------------------------------------------------------------------------------------------------------

    private record Header(Path path, long bytes, int version, ByteOrder order, Metadata metadata, long dataOffset,
            Map<String, TensorInfo> tensors) {

        GgufFile.Part part() {
            return new GgufFile.Part(path, bytes, dataOffset, tensors.size());
        }
    }

    private static Header readPart(Path path, int part, List<MappedFile> mappings) throws IOException {
        ForeignFile.requireNoFolder(path);
        MappedFile file = MappedFile.open(path);
        mappings.add(file);
        var in = new GgufCursor(path, file.segment());

        // uint32_t magic: 'G' 'G' 'U' 'F'
        requireMagic(in);
        // uint32_t version: "Must be 3 for version described in this spec"; also tells the byte order
        int version = readVersion(in);
        // uint64_t tensor_count; uint64_t metadata_kv_count
        in.enter("header, number of tensors", null);
        int tensorCount = in.count(MIN_TENSOR_BYTES, Integer.MAX_VALUE);
        in.enter("header, number of metadata pairs", null);
        int pairCount = in.count(MIN_PAIR_BYTES, Integer.MAX_VALUE);
        // gguf_metadata_kv_t metadata_kv[metadata_kv_count]
        Metadata metadata = readMetadata(in, pairCount);
        long alignment = alignment(metadata);
        // gguf_tensor_info_t tensor_infos[tensor_count]
        Map<String, TensorInfo> tensors = readTensors(in, tensorCount, part);
        // uint8_t _padding[]: "to the nearest multiple of ALIGNMENT"
        long dataOffset = tensors.isEmpty() ? in.position() : padded(in.position(), alignment);
        requireContiguous(in, tensors.values(), alignment, dataOffset);
        return new Header(path, in.fileBytes(), version, in.order(), metadata, dataOffset, tensors);
    }

    private static void requireMagic(GgufCursor in) {
        in.enter("magic", null);
        if (in.remaining() == 0) {
            throw in.bad("a GGUF file", "an empty file");
        }
        ByteBuffer magic = in.take(Math.min(4, in.remaining()));
        String text = StandardCharsets.ISO_8859_1.decode(magic).toString();
        if (!text.equals("GGUF")) {
            var behind = StandardCharsets.ISO_8859_1.decode(in.take(Math.min(ForeignFile.HEAD - text.length(), in.remaining())));
            throw in.bad("the characters 'GGUF'", "'" + text.replaceAll("[^\\x20-\\x7e]", "?") + "'", ForeignFile.hint(text + behind));
        }
    }

    private static int readVersion(GgufCursor in) {
        in.enter("version", null);
        int version = in.int32();
        // Read in the wrong order a small number has its lower half empty: 3 becomes 0x03000000.
        if ((version & 0xFFFF) == 0 && version != 0) {
            in.order(ByteOrder.BIG_ENDIAN);
            version = Integer.reverseBytes(version);
        }
        if (version < 2 || version > VERSION) {
            String hint = version == 1 ? "version 1 is of 2023 and no longer supported: convert the original model anew"
                    : version > VERSION ? "the file is newer than this program" : null;
            throw in.bad("2 or 3", Integer.toUnsignedString(version), hint);
        }
        return version;
    }

    // --- metadata ------------------------------------------------------------------------------------------------------

    private static Metadata readMetadata(GgufCursor in, int count) {
        var values = new LinkedHashMap<String, Metadata.Value>();
        for (int i = 0; i < count; i++) {
            // gguf_string_t key: "at most 2^16-1 bytes long"
            String key = readKey(in, i);
            in.enter("metadata key", key);
            // gguf_metadata_value_type value_type; gguf_metadata_value_t value
            GgufType type = readType(in);
            if (values.put(key, new Metadata.Value(type, readValue(in, type))) != null) {
                throw in.bad("keys that differ", "a duplicate");
            }
        }
        return new Metadata(in.path(), values);
    }

    private static String readKey(GgufCursor in, int i) {
        in.enter("metadata key number", Integer.toString(i));
        String key = in.string(MAX_KEY_BYTES);
        if (key.isEmpty() || key.indexOf('\0') >= 0) {
            throw in.bad("a text of at least one character without NUL", key.isEmpty() ? "an empty one" : "one with NUL");
        }
        return key;
    }

    private static GgufType readType(GgufCursor in) {
        int code = in.int32();
        GgufType type = GgufType.ofCode(code);
        if (type == null) {
            throw in.bad("a value type from 0 to 12", Integer.toUnsignedString(code));
        }
        return type;
    }

    private static Object readValue(GgufCursor in, GgufType type) {
        return switch (type) {
            case UINT8 -> Byte.toUnsignedLong(in.int8());
            case INT8 -> (long) in.int8();
            case UINT16 -> Short.toUnsignedLong(in.int16());
            case INT16 -> (long) in.int16();
            case UINT32 -> Integer.toUnsignedLong(in.int32());
            case INT32 -> (long) in.int32();
            case FLOAT32 -> (double) Float.intBitsToFloat(in.int32());
            case UINT64, INT64 -> in.int64();
            case FLOAT64 -> Double.longBitsToDouble(in.int64());
            // "1-byte value where 0 is false and 1 is true. Anything else is invalid"
            case BOOL -> requireBool(in, in.int8()) == 1;
            // "UTF-8 non-null-terminated string, with length prepended"
            case STRING -> in.string(MAX_TEXT_BYTES);
            // "Array of other values, with the length and type prepended"
            case ARRAY -> readArray(in);
        };
    }

    private static byte requireBool(GgufCursor in, byte value) {
        if (value != 0 && value != 1) {
            throw in.bad("a boolean, 0 or 1", Byte.toUnsignedInt(value));
        }
        return value;
    }

    private static GgufArray readArray(GgufCursor in) {
        GgufType type = readType(in);
        int length = in.count(type.minBytes(), MAX_ARRAY_ELEMENTS);
        int start = in.position();
        skipElements(in, type, length, 1);
        return new GgufArray(type, length, in.since(start));
    }

    /** Moves over the elements, checking that each lies within the file. */
    private static void skipElements(GgufCursor in, GgufType type, int length, int depth) {
        if (depth > MAX_ARRAY_DEPTH) {
            throw in.bad("arrays nested at most " + MAX_ARRAY_DEPTH + " deep", "deeper ones");
        }
        switch (type) {
            case STRING -> in.skipStrings(length);
            case ARRAY -> {
                for (int i = 0; i < length; i++) {
                    GgufType inner = readType(in);
                    skipElements(in, inner, in.count(inner.minBytes(), MAX_ARRAY_ELEMENTS), depth + 1);
                }
            }
            case BOOL -> {
                for (int i = 0; i < length; i++) {
                    requireBool(in, in.int8());
                }
            }
            default -> in.take((long) length * type.bytes());
        }
    }

    /** "The global alignment to use … must be a multiple of 8"; gguf.cpp wants a u32 that is a power of two. */
    private static long alignment(Metadata metadata) {
        if (!metadata.has(Metadata.ALIGNMENT)) {
            return Metadata.DEFAULT_ALIGNMENT;
        }
        long alignment = typed(metadata, Metadata.ALIGNMENT, GgufType.UINT32);
        if (Long.bitCount(alignment) != 1) {
            throw metadata.wrong(Metadata.ALIGNMENT, "a power of two", Long.toString(alignment));
        }
        return alignment;
    }

    // --- tensor table --------------------------------------------------------------------------------------------------

    private static Map<String, TensorInfo> readTensors(GgufCursor in, int count, int part) {
        var tensors = new LinkedHashMap<String, TensorInfo>();
        for (int i = 0; i < count; i++) {
            TensorInfo tensor = readTensor(in, i, part);
            if (tensors.put(tensor.name(), tensor) != null) {
                in.enter("tensor", tensor.name());
                throw in.bad("names that differ", "a duplicate");
            }
        }
        return tensors;
    }

    private static TensorInfo readTensor(GgufCursor in, int i, int part) {
        // gguf_string_t name: "It must be at most 64 bytes long"; ggml needs one of them for the terminator
        in.enter("name of tensor number", Integer.toString(i));
        String name = in.string(TensorInfo.MAX_NAME_BYTES);
        if (name.indexOf('\0') >= 0) {
            throw in.bad("a text without NUL", "one with NUL");
        }
        in.enter("tensor", name);
        // uint32_t n_dimensions: "Currently at most 4"; uint64_t dimensions[n_dimensions]
        List<Long> shape = readShape(in);
        // ggml_type type
        GgmlType type = readTensorType(in);
        // uint64_t offset: "relative to tensor_data, not to the start of the file"
        in.part("offset");
        var tensor = new TensorInfo(name, type, shape, in.int64(), part);
        requireSize(in, tensor);
        return tensor;
    }

    private static List<Long> readShape(GgufCursor in) {
        in.part("shape");
        int dimensions = in.int32();
        if (dimensions < 0 || dimensions > TensorInfo.MAX_DIMENSIONS) {
            throw in.bad("at most 4 dimensions", Integer.toUnsignedString(dimensions));
        }
        var shape = new ArrayList<Long>(dimensions);
        for (int i = 0; i < dimensions; i++) {
            long size = in.int64();
            if (size < 0) {
                throw in.bad("sizes below 2^63", Long.toUnsignedString(size));
            }
            shape.add(size);
        }
        return shape;
    }

    private static GgmlType readTensorType(GgufCursor in) {
        in.part("type");
        int id = in.int32();
        GgmlType type = GgmlType.ofId(id);
        if (type == null) {
            throw in.bad("a tensor type of ggml 0.25.1", GgmlType.whyUnknown(id),
                    "the file may be newer or older than this program, or damaged");
        }
        return type;
    }

    /** Whole blocks in a row; element and byte counts that fit into 63 bits. */
    private static void requireSize(GgufCursor in, TensorInfo tensor) {
        in.part("shape");
        GgmlType type = tensor.type();
        if (tensor.ne(0) % type.blockElements() != 0) {
            throw in.bad("rows of whole blocks of " + type.blockElements() + " elements (" + type.label() + ")",
                    "shape " + tensor.shapeText());
        }
        try {
            tensor.bytes();
        } catch (ArithmeticException overflow) {
            throw in.bad("a size below 2^63 bytes", "shape " + tensor.shapeText());
        }
    }

    /** Each tensor starts where the one before it ends, padded; the last one ends within the file. */
    private static void requireContiguous(GgufCursor in, Iterable<TensorInfo> tensors, long alignment, long dataOffset) {
        long expected = 0;
        for (TensorInfo tensor : tensors) {
            in.enter("tensor", tensor.name());
            if (tensor.offset() != expected) {
                in.part("offset");
                throw in.bad(expected + ", right behind the tensor before it", Long.toUnsignedString(tensor.offset()));
            }
            long available = in.fileBytes() - dataOffset - expected;
            if (tensor.bytes() > available) {
                in.part("data");
                throw in.bad(tensor.bytes() + " bytes", Math.max(available, 0) + " bytes until the end of the file",
                        "the file is cut off: download or copy it again");
            }
            expected = padded(expected + tensor.bytes(), alignment);
        }
    }

    /** The next multiple of the alignment, a power of two of at most 2^31. */
    static long padded(long position, long alignment) {
        return Math.addExact(position, alignment - 1) & -alignment;
    }
}
