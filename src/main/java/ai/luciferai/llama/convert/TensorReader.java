package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * Reads any range of a tensor's elements, in the order of the output.
 *
 * <p>Elements that lie together are copied in runs; only transposed ones are fetched one by one. <i>Threads</i>: one per reader; several
 * readers of one tensor may run at once.
 */
final class TensorReader {

    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    static final ValueLayout.OfShort I16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LE);
    static final ValueLayout.OfInt I32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LE);
    static final ValueLayout.OfLong I64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LE);
    static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LE);
    static final ValueLayout.OfDouble F64 = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LE);
    private static final float[] E4M3 = new float[256];
    private static final float[] E5M2 = new float[256];
    private static final float[] E8M0 = new float[256];

    static {
        for (int i = 0; i < 256; i++) {
            int e = i >> 3 & 15;
            int m = i & 7;
            float e4m3 = e == 0 ? m * 0x1p-9f : Math.scalb(1 + m / 8f, e - 7);
            E4M3[i] = (i & 127) == 127 ? Float.NaN : i < 128 ? e4m3 : -e4m3;
            E5M2[i] = Float.float16ToFloat((short) (i << 8));
            E8M0[i] = i == 255 ? Float.NaN : (float) Math.scalb(1.0, i - 127);
        }
    }

    private final List<Tensor.Piece> pieces;
    private final DoubleUnaryOperator function;
    private short[] shorts;

    TensorReader(Tensor tensor) {
        this(tensor, new short[0]);
    }

    /** A reader with room for raw elements, which grows if it must. */
    TensorReader(Tensor tensor, short[] room) {
        this.shorts = room;
        this.pieces = tensor.pieces();
        this.function = tensor.function();
    }

    /** What is done with one run of elements that lie together in a storage. */
    interface Run {
        /**
         * @param data   the storage
         * @param from   first element in it
         * @param step   elements from one to the next
         * @param at     place in the range that is read
         * @param count  elements of the run
         */
        void take(DType type, MemorySegment data, long from, long step, int at, int count);
    }

    /** Reads elements {@code start} … as floats, after the element-wise function. */
    void read(long start, float[] into, int count) {
        runs(start, count, (type, data, from, step, at, n) -> floats(type, data, from, step, into, at, n));
        if (function != null) {
            for (int i = 0; i < count; i++) {
                into[i] = (float) function.applyAsDouble(into[i]);
            }
        }
    }

    /** Walks the runs that make up the elements {@code start} … */
    void runs(long start, int count, Run run) {
        long skip = start;
        int done = 0;
        for (Tensor.Piece piece : pieces) {
            long size = piece.count();
            if (skip >= size) {
                skip -= size;
                continue;
            }
            if (done == count) {
                return;
            }
            int here = (int) Math.min(count - done, size - skip);
            walk(piece, skip, here, done, run);
            done += here;
            skip = 0;
        }
    }

    private static void walk(Tensor.Piece piece, long start, int count, int at, Run run) {
        MemorySegment data = piece.data();
        long[] dims = piece.dims();
        long[] strides = piece.strides();
        int inner = dims.length; // dimensions from here on lie together
        long together = 1;
        while (inner > 0 && (strides[inner - 1] == together || dims[inner - 1] == 1)) {
            inner--;
            together *= dims[inner];
        }
        // A walk whose last dimension is strided goes one column at a time.
        boolean strided = inner == dims.length && inner > 0;
        long length = strided ? dims[inner - 1] : together;
        int outer = strided ? inner - 1 : inner;
        long step = strided ? strides[inner - 1] : 1;
        long[] index = new long[outer];
        long rest = start / length;
        for (int d = outer - 1; d >= 0; d--) {
            index[d] = rest % dims[d];
            rest /= dims[d];
        }
        long within = start % length;
        int done = 0;
        while (done < count) {
            long from = piece.offset() + within * step;
            for (int d = 0; d < outer; d++) {
                from += index[d] * strides[d];
            }
            int n = (int) Math.min(count - done, length - within);
            run.take(piece.type(), data, from, step, at + done, n);
            done += n;
            within = 0;
            for (int d = outer - 1; d >= 0 && ++index[d] == dims[d]; d--) {
                index[d] = 0;
            }
        }
    }

    private void floats(DType type, MemorySegment data, long from, long step, float[] into, int at, int n) {
        if (step != 1) {
            for (int i = 0; i < n; i++) {
                into[at + i] = one(type, data, from + i * step);
            }
            return;
        }
        switch (type) {
            case F32 -> MemorySegment.copy(data, F32, from * 4, into, at, n);
            case BF16 -> {
                short[] raw = raw(data, from, n);
                for (int i = 0; i < n; i++) {
                    into[at + i] = Float.intBitsToFloat(raw[i] << 16);
                }
            }
            case F16 -> {
                short[] raw = raw(data, from, n);
                for (int i = 0; i < n; i++) {
                    into[at + i] = Float.float16ToFloat(raw[i]);
                }
            }
            default -> {
                for (int i = 0; i < n; i++) {
                    into[at + i] = one(type, data, from + i);
                }
            }
        }
    }

    private short[] raw(MemorySegment data, long from, int n) {
        if (shorts.length < n) {
            shorts = new short[n];
        }
        MemorySegment.copy(data, I16, from * 2, shorts, 0, n);
        return shorts;
    }

    /** One element as a float, converted as torch converts it. */
    static float one(DType type, MemorySegment data, long i) {
        return switch (type) {
            case F64 -> (float) data.get(F64, i * 8);
            case F32 -> data.get(F32, i * 4);
            case F16 -> Float.float16ToFloat(data.get(I16, i * 2));
            case BF16 -> Float.intBitsToFloat(data.get(I16, i * 2) << 16);
            case I64 -> data.get(I64, i * 8);
            case I32 -> data.get(I32, i * 4);
            case I16 -> data.get(I16, i * 2);
            case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
            case U64 -> unsigned(data.get(I64, i * 8));
            case U32 -> Integer.toUnsignedLong(data.get(I32, i * 4));
            case U16 -> Short.toUnsignedInt(data.get(I16, i * 2));
            case U8, BOOL -> Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, i));
            case F8_E4M3 -> E4M3[Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, i))];
            case F8_E5M2 -> E5M2[Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, i))];
            case F8_E8M0 -> E8M0[Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, i))];
        };
    }

    /** One whole number. */
    static int whole(DType type, MemorySegment data, long i) {
        return switch (type) {
            case I64, U64 -> Math.toIntExact(data.get(I64, i * 8));
            case I32, U32 -> data.get(I32, i * 4);
            case I16 -> data.get(I16, i * 2);
            case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
            case U8, BOOL -> Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, i));
            default -> throw new Tensor.ShapeException("whole numbers are needed where the checkpoint has " + type);
        };
    }

    private static float unsigned(long bits) {
        return bits >= 0 ? bits : new java.math.BigDecimal(Long.toUnsignedString(bits)).floatValue();
    }
}
