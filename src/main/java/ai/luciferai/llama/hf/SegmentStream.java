package ai.luciferai.llama.hf;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Reads mapped bytes as a stream whose position is known. */
final class SegmentStream extends InputStream {

    private static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment data;
    private long position;

    SegmentStream(MemorySegment data) {
        this.data = data;
    }

    long position() {
        return position;
    }

    long remaining() {
        return data.byteSize() - position;
    }

    /** Four bytes ahead, not consumed; -1 near the end. */
    int peekInt() {
        return remaining() < 4 ? -1 : data.get(I32, position);
    }

    /** The next bytes, consumed. */
    MemorySegment take(long bytes) {
        MemorySegment taken = data.asSlice(position, bytes);
        position += bytes;
        return taken;
    }

    @Override
    public int read() {
        return remaining() == 0 ? -1 : Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, position++));
    }

    @Override
    public int read(byte[] into, int start, int length) {
        int n = (int) Math.min(length, remaining());
        if (n == 0 && length > 0) {
            return -1;
        }
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, position, into, start, n);
        position += n;
        return n;
    }

    @Override
    public int available() {
        return (int) Math.min(Integer.MAX_VALUE, remaining());
    }
}
