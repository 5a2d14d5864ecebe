package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the table of a safetensors file.
 *
 * <p><i>Source</i>: the format's README (huggingface/safetensors): u64 header length, JSON header
 * {@code {"name": {"dtype", "shape", "data_offsets": [begin, end]}, …, "__metadata__": {…}}}, then the data without holes or overlaps up
 * to the end of the file. All of it is checked here.
 */
public final class Safetensors {

    /** The format's own limit. */
    private static final long MAX_HEADER = 100_000_000;

    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Safetensors() {}

    /**
     * The tensors of a mapped file, by name in code-point order (the order of the reference converter, which decides the order of the
     * output).
     */
    public static List<StoredTensor> read(MappedFile mapped) throws IOException {
        Path file = mapped.path();
        long size = mapped.size();
        long length = size < 8 ? -1 : mapped.segment().get(U64, 0);
        if (length < 2 || length > MAX_HEADER || length > size - 8) {
            throw new InvalidFileException(file, "header length", "8 bytes with a length from 2 to " + Math.min(MAX_HEADER, Math.max(size - 8, 2)),
                    size < 8 ? "a file of " + size + " bytes" : Long.toUnsignedString(length));
        }
        byte[] header = mapped.segment().asSlice(8, length).toArray(ValueLayout.JAVA_BYTE);
        MemorySegment data = mapped.segment().asSlice(8 + length);
        if (!(JsonObject.parse(file, new ByteArrayInputStream(header)) instanceof Map<?, ?> map)) {
            throw new InvalidFileException(file, "header", "a JSON object", "another JSON value");
        }
        var tensors = new ArrayList<Entry>();
        for (var entry : map.entrySet()) {
            if (!entry.getKey().equals("__metadata__")) {
                tensors.add(entry(file, (String) entry.getKey(), entry.getValue(), data.byteSize()));
            }
        }
        requireSeamless(file, tensors, data.byteSize());
        tensors.sort(Comparator.comparing(Entry::name, Safetensors::byCodePoint));
        return tensors.stream()
                .map(t -> StoredTensor.dense(t.name, t.type, t.shape, data.asSlice(t.begin, t.end - t.begin), file))
                .toList();
    }

    private record Entry(String name, DType type, long[] shape, long begin, long end) {}

    private static Entry entry(Path file, String name, Object value, long dataSize) {
        String where = "tensor '" + name + "'";
        if (!(value instanceof Map<?, ?> map)) {
            throw new InvalidFileException(file, where, "an object with dtype, shape and data_offsets", JsonObject.kind(value));
        }
        var fields = new LinkedHashMap<String, Object>();
        map.forEach((k, v) -> fields.put((String) k, v));
        var object = new JsonObject(file, fields);
        DType type = fields.get("dtype") instanceof String text ? DType.named(text) : null;
        if (type == null) {
            throw new InvalidFileException(file, where, "a dtype of " + Arrays.toString(DType.values()), JsonObject.kind(fields.get("dtype")));
        }
        long[] shape = wholes(file, where + ": shape", object.get("shape"));
        long[] offsets = wholes(file, where + ": data_offsets", object.get("data_offsets"));
        if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > dataSize) {
            throw new InvalidFileException(file, where, "data_offsets [begin, end] within " + dataSize + " bytes", Arrays.toString(offsets));
        }
        long bytes = type.bytes();
        try {
            for (long n : shape) {
                bytes = Math.multiplyExact(bytes, n);
            }
        } catch (ArithmeticException overflow) {
            bytes = -1;
        }
        if (bytes != offsets[1] - offsets[0]) {
            throw new InvalidFileException(file, where, bytes < 0 ? "a shape of less than 2^63 bytes"
                    : bytes + " bytes for shape " + Arrays.toString(shape) + " of " + type, (offsets[1] - offsets[0]) + " bytes");
        }
        return new Entry(name, type, shape, offsets[0], offsets[1]);
    }

    private static long[] wholes(Path file, String where, Object value) {
        if (!(value instanceof List<?> list)) {
            throw new InvalidFileException(file, where, "a list of whole numbers", JsonObject.kind(value));
        }
        long[] numbers = new long[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(list.get(i) instanceof Long number) || number < 0) {
                throw new InvalidFileException(file, where, "whole numbers from 0", JsonObject.kind(list.get(i)));
            }
            numbers[i] = number;
        }
        return numbers;
    }

    /** The data of the tensors must fill the rest of the file without hole or overlap. */
    private static void requireSeamless(Path file, List<Entry> tensors, long size) {
        var byOffset = new ArrayList<>(tensors);
        byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry tensor : byOffset) {
            if (tensor.begin != end) {
                throw new InvalidFileException(file, "tensor '" + tensor.name + "'", "data at offset " + end + ", behind the tensor before it",
                        "offset " + tensor.begin + (tensor.begin < end ? ", an overlap" : ", a hole"));
            }
            end = tensor.end;
        }
        if (end != size) {
            throw new InvalidFileException(file, "data", end + " bytes, as the header says", size + " bytes",
                    size < end ? "the download may be incomplete" : null);
        }
    }

    /** Order of Python strings; Java's own compares UTF-16 units. */
    static int byCodePoint(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length()) {
            int x = a.codePointAt(i);
            int y = b.codePointAt(i);
            if (x != y) {
                return Integer.compare(x, y);
            }
            i += Character.charCount(x);
        }
        return Integer.compare(a.length(), b.length());
    }
}
