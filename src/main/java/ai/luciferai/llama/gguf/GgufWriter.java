package ai.luciferai.llama.gguf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes a GGUF file of version 3, little endian: the header at once, then the data of the tensors, in any order and pieces.
 * Equal input gives equal bytes.
 * <pre>{@code
 * try (var out = AtomicFile.create(target, force, inputs)) {
 *     var writer = new GgufWriter(out.channel(), metadata, tensors);
 *     for (TensorInfo tensor : writer.tensors()) {
 *         writer.write(tensor.name(), 0, data(tensor));
 *     }
 *     writer.finish();
 *     out.commit(cancel);
 * }
 * }</pre>
 *
 * <p><i>Ownership</i>: the channel stays the caller's. <i>Threads</i>: {@link #write} may be called by several threads at once, as
 * long as they write different bytes. <i>Errors</i>: a tensor table that no reader would accept is an
 * {@link IllegalArgumentException}, for it is the caller's mistake.
 */
public final class GgufWriter {

    /** Most bytes handed to the channel at once: below the 2 GiB that a byte buffer can view. */
    private static final long CHUNK = 1L << 28;

    private final FileChannel channel;
    private final long dataOffset;
    private final long fileBytes;
    private final Map<String, TensorInfo> tensors;
    private final Map<String, AtomicLong> written = new LinkedHashMap<>();

    /**
     * Empties the channel and writes the header into it.
     *
     * @param channel  where the file goes, from its start
     * @param metadata pairs in the order of the file; its {@code general.alignment} is obeyed
     * @param infos    names, types and shapes of the tensors in the order of the file; their offsets are ignored
     */
    public GgufWriter(FileChannel channel, Metadata metadata, List<TensorInfo> infos) throws IOException {
        this.channel = channel;
        long alignment = metadata.integer(Metadata.ALIGNMENT, Metadata.DEFAULT_ALIGNMENT);
        if (Long.bitCount(alignment) != 1) {
            throw new IllegalArgumentException("alignment must be a power of two, got " + alignment);
        }
        this.tensors = layout(infos, alignment);
        byte[] header = header(metadata, tensors.values());
        this.dataOffset = tensors.isEmpty() ? header.length : GgufReader.padded(header.length, alignment);
        long data = 0;
        for (TensorInfo tensor : tensors.values()) {
            written.put(tensor.name(), new AtomicLong());
            data = GgufReader.padded(tensor.offset() + tensor.bytes(), alignment);
        }
        this.fileBytes = Math.addExact(dataOffset, data);
        channel.truncate(0);
        writeFully(MemorySegment.ofArray(header), 0);
    }

    /** The tensors with their offsets, in the order of the file. */
    public List<TensorInfo> tensors() {
        return List.copyOf(tensors.values());
    }

    /** Size of the finished file in bytes. */
    public long fileBytes() {
        return fileBytes;
    }

    /**
     * Writes a piece of a tensor's data.
     *
     * @param name tensor of the table
     * @param at   first byte of the piece within the tensor
     * @param data its bytes, little endian
     */
    public void write(String name, long at, MemorySegment data) throws IOException {
        TensorInfo tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no tensor '" + name + "' in the table");
        }
        if (at < 0 || at > tensor.bytes() || data.byteSize() > tensor.bytes() - at) {
            throw new IllegalArgumentException("tensor '%s' has %d bytes, got %d at %d"
                    .formatted(name, tensor.bytes(), data.byteSize(), at));
        }
        writeFully(data, dataOffset + tensor.offset() + at);
        written.get(name).addAndGet(data.byteSize());
    }

    /**
     * Pads the last tensor.
     *
     * @throws IllegalStateException when a tensor's data has not been written
     */
    public void finish() throws IOException {
        written.forEach((name, bytes) -> {
            long expected = tensors.get(name).bytes();
            if (bytes.get() != expected) {
                throw new IllegalStateException("tensor '%s' has %d bytes, written: %d".formatted(name, expected, bytes.get()));
            }
        });
        // Bytes that were jumped over read as zero; only the end of the file has to be put there.
        if (channel.size() < fileBytes) {
            writeFully(MemorySegment.ofArray(new byte[1]), fileBytes - 1);
        }
    }

    private void writeFully(MemorySegment data, long position) throws IOException {
        for (long done = 0; done < data.byteSize(); ) {
            ByteBuffer piece = data.asSlice(done, Math.min(CHUNK, data.byteSize() - done)).asByteBuffer();
            while (piece.hasRemaining()) {
                done += channel.write(piece, position + done);
            }
        }
    }

    // --- layout and header ---------------------------------------------------------------------------------------------

    private static Map<String, TensorInfo> layout(List<TensorInfo> infos, long alignment) {
        var laidOut = new LinkedHashMap<String, TensorInfo>();
        long offset = 0;
        for (TensorInfo info : infos) {
            requireWritable(info);
            if (laidOut.put(info.name(), new TensorInfo(info.name(), info.type(), info.shape(), offset, 0)) != null) {
                throw new IllegalArgumentException("two tensors are named '" + info.name() + "'");
            }
            offset = GgufReader.padded(Math.addExact(offset, info.bytes()), alignment);
        }
        return laidOut;
    }

    private static void requireWritable(TensorInfo info) {
        int nameBytes = info.name().getBytes(StandardCharsets.UTF_8).length;
        if (nameBytes > TensorInfo.MAX_NAME_BYTES || info.name().indexOf('\0') >= 0) {
            throw new IllegalArgumentException("tensor name '%s' is longer than %d bytes or has NUL"
                    .formatted(info.name(), TensorInfo.MAX_NAME_BYTES));
        }
        if (info.shape().size() > TensorInfo.MAX_DIMENSIONS || info.shape().stream().anyMatch(size -> size < 0)
                || info.ne(0) % info.type().blockElements() != 0) {
            throw new IllegalArgumentException("tensor '%s' of type %s cannot have shape %s"
                    .formatted(info.name(), info.type().label(), info.shapeText()));
        }
    }

    /** Everything in front of the padding before the data. */
    private static byte[] header(Metadata metadata, Iterable<TensorInfo> tensors) {
        var out = new ByteArrayOutputStream();
        int count = 0;
        for (TensorInfo tensor : tensors) {
            count++;
        }
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(little(4).putInt(GgufReader.VERSION).array());
        out.writeBytes(little(8).putLong(count).array());
        out.writeBytes(little(8).putLong(metadata.keys().size()).array());
        metadata.values().forEach((key, value) -> {
            putString(out, key);
            out.writeBytes(little(4).putInt(value.type().code()).array());
            putValue(out, value);
        });
        tensors.forEach(tensor -> putTensor(out, tensor));
        return out.toByteArray();
    }

    private static void putTensor(ByteArrayOutputStream out, TensorInfo tensor) {
        putString(out, tensor.name());
        out.writeBytes(little(4).putInt(tensor.shape().size()).array());
        for (long size : tensor.shape()) {
            out.writeBytes(little(8).putLong(size).array());
        }
        out.writeBytes(little(4).putInt(tensor.type().id()).array());
        out.writeBytes(little(8).putLong(tensor.offset()).array());
    }

    private static void putString(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.writeBytes(little(8).putLong(bytes.length).array());
        out.writeBytes(bytes);
    }

    private static void putValue(ByteArrayOutputStream out, Metadata.Value value) {
        switch (value.value()) {
            case String text -> putString(out, text);
            case Boolean bool -> out.write(bool ? 1 : 0);
            case Double number when value.type() == GgufType.FLOAT32 ->
                    out.writeBytes(little(4).putFloat((float) (double) number).array());
            case Double number -> out.writeBytes(little(8).putDouble(number).array());
            case Long number -> {
                ByteBuffer bytes = little(value.type().bytes());
                putInteger(bytes, value.type(), number);
                out.writeBytes(bytes.array());
            }
            case GgufArray array -> {
                out.writeBytes(little(12).putInt(array.type().code()).putLong(array.length()).array());
                out.writeBytes(array.littleEndian());
            }
            default -> throw new IllegalArgumentException("not a metadata value: " + value);
        }
    }

    /** Appends a whole number in the width of its type. */
    static void putInteger(ByteBuffer out, GgufType type, long value) {
        requireFits(type, value);
        switch (type.bytes()) {
            case 1 -> out.put((byte) value);
            case 2 -> out.putShort((short) value);
            case 4 -> out.putInt((int) value);
            default -> out.putLong(value);
        }
    }

    /** Refuses a number that its type cannot hold; unsigned 64-bit numbers are given by their bits and always fit. */
    static void requireFits(GgufType type, long value) {
        int bits = 8 * type.bytes();
        boolean signed = switch (type) {
            case INT8, INT16, INT32, INT64 -> true;
            default -> false;
        };
        boolean fits = bits == 64 || (signed ? value == value << (64 - bits) >> (64 - bits) : value >>> bits == 0);
        if (!fits) {
            throw new IllegalArgumentException("%d does not fit into %s".formatted(value, type.label()));
        }
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
