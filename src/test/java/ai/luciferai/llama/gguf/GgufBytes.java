package ai.luciferai.llama.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the pieces of a GGUF file one by one, right or wrong: what a writer with checks would refuse to write. */
final class GgufBytes {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteOrder order;

    GgufBytes(ByteOrder order) {
        this.order = order;
    }

    /** Magic, version and counts, little endian. */
    static GgufBytes header(int version, long tensors, long pairs) {
        return new GgufBytes(ByteOrder.LITTLE_ENDIAN).head(version, tensors, pairs);
    }

    /** Magic, version and counts. */
    GgufBytes head(int version, long tensors, long pairs) {
        return raw("GGUF".getBytes(StandardCharsets.US_ASCII)).u32(version).u64(tensors).u64(pairs);
    }

    GgufBytes raw(byte... bytes) {
        out.writeBytes(bytes);
        return this;
    }

    GgufBytes u8(int value) {
        return raw((byte) value);
    }

    GgufBytes u32(int value) {
        return raw(ByteBuffer.allocate(4).order(order).putInt(value).array());
    }

    GgufBytes u64(long value) {
        return raw(ByteBuffer.allocate(8).order(order).putLong(value).array());
    }

    GgufBytes text(String text) {
        return text(text.getBytes(StandardCharsets.UTF_8));
    }

    GgufBytes text(byte[] text) {
        return u64(text.length).raw(text);
    }

    /** Key and type; the value follows. */
    GgufBytes key(String key, GgufType type) {
        return text(key).u32(type.code());
    }

    /** A row of the tensor table. */
    GgufBytes tensor(String name, int type, long offset, long... shape) {
        text(name).u32(shape.length);
        for (long size : shape) {
            u64(size);
        }
        return u32(type).u64(offset);
    }

    /** Zeros up to a multiple of {@code alignment}, then {@code bytes} zeros. */
    GgufBytes data(int alignment, int bytes) {
        int padding = (alignment - out.size() % alignment) % alignment;
        return raw(new byte[padding + bytes]);
    }

    byte[] bytes() {
        return out.toByteArray();
    }
}
