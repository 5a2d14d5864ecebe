package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Writes tensor elements in a GGUF type, bit for bit as ggml's own routines do.
 *
 * <p>Pure Java on purpose: the four conversions are a dozen lines each, the compiler turns their loops into the same vector instructions,
 * and conversion then needs no native library. What a half float is, is {@link Float#floatToFloat16} (round to nearest even, as F16C and
 * numpy do).
 *
 * <p><i>Source</i>: ggml v0.25.1, ggml-quants.c {@code quantize_row_q8_0_ref}, ggml-impl.h {@code ggml_compute_fp32_to_bf16}; gguf-py
 * quants.py, which agrees with them. <i>Threads</i>: one per instance.
 */
final class TypeConverter {

    /** Elements converted at a time: their floats and results stay in the first caches. */
    static final int BLOCK = 16 * 1024;

    /** The sign bits of four 16-bit floats in a long. */
    private static final long SIGNS = 0x8000800080008000L;

    private final Tensor tensor;
    private final GgmlType type;
    private final TensorReader reader;
    /** Whether the stored bits are copied: the storage has the output's type and nothing is computed. */
    private final boolean copy;
    /** Whether BF16 becomes F16 without a stop in between: the usual conversion, worth a loop of its own. */
    private final boolean narrow;
    private final boolean packed;
    private final Room room;

    /** Room for one block, which a thread uses for all its conversions: to clear it anew for each would cost as much as they do. */
    static final class Room {
        private final float[] floats = new float[BLOCK];
        private final short[] raw = new short[BLOCK];
        private final short[] shorts = new short[BLOCK];
        private final long[] longs = new long[BLOCK / 4];
        private final long[] results = new long[BLOCK / 4];
        private final long[] odd = new long[BLOCK / 4];
        private final float[] factors = new float[BLOCK];
        private final int[] whole = new int[BLOCK];
        private final byte[] bytes = new byte[BLOCK / 32 * 34];
    }

    TypeConverter(Tensor tensor, GgmlType type, Room room) {
        this.room = room;
        this.tensor = tensor;
        this.type = type;
        this.reader = new TensorReader(tensor, room.raw);
        DType same = switch (type) {
            case F32 -> DType.F32;
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            default -> null;
        };
        this.packed = tensor.packed() != null;
        this.copy = same != null && tensor.function() == null && tensor.pieces().stream().allMatch(piece -> piece.type() == same);
        this.narrow = type == GgmlType.F16 && tensor.function() == null
                && tensor.pieces().stream().allMatch(piece -> piece.type() == DType.BF16);
    }

    /**
     * Converts a range of elements.
     *
     * @param start first element, a multiple of the type's block
     * @param count elements, a multiple of the type's block
     * @param out   exactly their bytes
     */
    void convert(long start, long count, MemorySegment out) {
        for (long done = 0; done < count; done += BLOCK) {
            int n = (int) Math.min(BLOCK, count - done);
            if (packed) {
                copyRuns(type.bytes(start + done), (int) type.bytes(n), out, type.bytes(done), 1);
                continue;
            }
            switch (type) {
                case F32 -> f32(start + done, n, out, done * 4);
                case F16 -> f16(start + done, n, out, done * 2);
                case BF16 -> bf16(start + done, n, out, done * 2);
                case Q8_0 -> q8(start + done, n, out, done / 32 * 34);
                default -> throw new IllegalArgumentException("no conversion to " + type.label());
            }
        }
    }

    private void f32(long start, int n, MemorySegment out, long at) {
        if (copy) {
            copyRuns(start, n, out, at, 4);
            return;
        }
        reader.read(start, room.floats, n);
        MemorySegment.copy(room.floats, 0, out, TensorReader.F32, at, n);
    }

    private void f16(long start, int n, MemorySegment out, long at) {
        if (copy) {
            copyRuns(start, n, out, at, 2);
            return;
        }
        if (narrow) {
            MemorySegment together = tensor.together(start, n);
            if (together == null) {
                copyRuns(start, n, out, at, 2);
                together = out.asSlice(at, 2L * n);
            }
            narrow(together, out, at, n);
            return;
        }
        reader.read(start, room.floats, n);
        halves(room.floats, room.shorts, n);
        MemorySegment.copy(room.shorts, 0, out, TensorReader.I16, at, n);
        if (anyNan(out, at, n, 0x7C007C007C007C00L)) {
            for (int i = 0; i < n; i++) {
                out.set(TensorReader.I16, at + 2L * i, half(Float.floatToRawIntBits(room.floats[i])));
            }
        }
    }

    /**
     * Turns BF16 into F16, four numbers in a long at a time: nearly all weights become normal halves, which takes an offset to
     * the exponent and a shift. A long with any other number is done one by one, in a loop of its own: the compiler makes vectors of loops
     * without branches.
     */
    private void narrow(MemorySegment from, MemorySegment out, long at, int n) {
        int fours = n / 4;
        MemorySegment.copy(from, TensorReader.I64, 0, room.longs, 0, fours);
        shift(room.longs, room.results, fours);
        outside(room.longs, room.odd, fours);
        for (int i = 0; i < fours; i++) {
            if (room.odd[i] != 0) {
                room.results[i] = oneByOne(room.longs[i]);
            }
        }
        MemorySegment.copy(room.results, 0, out, TensorReader.I64, at, fours);
        for (int i = fours * 4; i < n; i++) {
            out.set(TensorReader.I16, at + 2L * i, half(from.get(TensorReader.I16, 2L * i) << 16));
        }
    }

    private static void shift(long[] fours, long[] halves, int n) {
        for (int i = 0; i < n; i++) {
            halves[i] = (fours[i] & ~SIGNS) - 0x3800380038003800L << 3 | fours[i] & SIGNS;
        }
    }

    /** Sets the sign bit of each number that is no normal half. */
    private static void outside(long[] fours, long[] signs, int n) {
        for (int i = 0; i < n; i++) {
            long magnitudes = fours[i] & ~SIGNS;
            signs[i] = ~((magnitudes | SIGNS) - 0x3880388038803880L & 0xC77FC77FC77FC77FL - magnitudes) & SIGNS;
        }
    }

    private static void halves(float[] floats, short[] halves, int n) {
        for (int i = 0; i < n; i++) {
            halves[i] = Float.floatToFloat16(floats[i]);
        }
    }

    private static long oneByOne(long four) {
        long halves = 0;
        for (int shift = 0; shift < 64; shift += 16) {
            halves |= (half((short) (four >>> shift) << 16) & 0xFFFFL) << shift;
        }
        return halves;
    }

    /** A float as a half. The processor makes every NaN a quiet one; numpy, and so the reference, keeps the leading bits of its payload. */
    private static short half(int bits) {
        boolean isNan = (bits & 0x7FFFFFFF) > 0x7F800000;
        int payload = Math.max(bits >>> 13 & 0x3FF, 1);
        return isNan ? (short) (bits >>> 16 & 0x8000 | 0x7C00 | payload) : Float.floatToFloat16(Float.intBitsToFloat(bits));
    }

    /** Whether among 16-bit floats is a NaN; {@code infinity} in each quarter is theirs. */
    private boolean anyNan(MemorySegment out, long at, int n, long infinity) {
        int fours = n / 4;
        MemorySegment.copy(out, TensorReader.I64, at, room.longs, 0, fours);
        long sums = 0;
        for (int i = 0; i < fours; i++) {
            sums |= (room.longs[i] & ~SIGNS) + (~SIGNS - infinity); // the sign bit of a sum: above infinity
        }
        for (int i = fours * 4; i < n; i++) {
            sums |= (out.get(TensorReader.I16, at + 2L * i) & 0x7FFF) + (0x7FFF - (infinity & 0x7FFF));
        }
        return (sums & SIGNS) != 0;
    }

    private void bf16(long start, int n, MemorySegment out, long at) {
        if (copy) {
            copyRuns(start, n, out, at, 2);
            quietNans(out, at, n);
            return;
        }
        reader.read(start, room.floats, n);
        for (int i = 0; i < n; i++) {
            int bits = Float.floatToRawIntBits(room.floats[i]);
            int rounded = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
            room.shorts[i] = (short) ((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >>> 16 | 0x40 : rounded);
        }
        MemorySegment.copy(room.shorts, 0, out, TensorReader.I16, at, n);
    }

    /** ggml's BF16 has quiet NaNs only. */
    private void quietNans(MemorySegment out, long at, int n) {
        if (!anyNan(out, at, n, 0x7F807F807F807F80L)) {
            return;
        }
        for (int i = 0; i < n; i++) {
            int value = out.get(TensorReader.I16, at + 2L * i);
            if ((value & 0x7FFF) > 0x7F80) {
                out.set(TensorReader.I16, at + 2L * i, (short) (value | 0x40));
            }
        }
    }

    /** Blocks of 32: the scale as a half float, then 32 signed bytes. */
    private void q8(long start, int n, MemorySegment out, long at) {
        reader.read(start, room.floats, n);
        scales(room.floats, room.factors, room.bytes, n);
        round(room.floats, room.factors, room.whole, n);
        for (int b = 0, o = 2; b < n; b += 32, o += 34) {
            boolean huge = Float.isInfinite(room.factors[b]);
            for (int i = 0; i < 32; i++) {
                room.bytes[o + i] = huge ? roundHalfAway(room.floats[b + i] * room.factors[b]) : (byte) room.whole[b + i];
            }
        }
        MemorySegment.copy(room.bytes, 0, out, ValueLayout.JAVA_BYTE, at, n / 32 * 34);
    }

    /** Puts the scale of each block of 32 in front of its bytes, and what to multiply with beside each number. */
    private static void scales(float[] floats, float[] factors, byte[] bytes, int n) {
        for (int b = 0, o = 0; b < n; b += 32, o += 34) {
            float max = 0;
            for (int i = b; i < b + 32; i++) {
                max = Math.max(max, Math.abs(floats[i]));
            }
            float d = max / 127f;
            short scale = Float.floatToFloat16(d);
            bytes[o] = (byte) scale;
            bytes[o + 1] = (byte) (scale >> 8);
            Arrays.fill(factors, b, b + 32, d == 0 ? 0 : 1f / d);
        }
    }

    /** The products rounded half away from zero: the fraction and its double are exact. */
    private static void round(float[] floats, float[] factors, int[] whole, int n) {
        for (int i = 0; i < n; i++) {
            float value = floats[i] * factors[i];
            int towardsZero = (int) value;
            float fraction = value - towardsZero;
            whole[i] = towardsZero + (int) (fraction + fraction);
        }
    }

    /** C's {@code roundf} for values within a byte; NaN becomes 0 as on x86. */
    private static byte roundHalfAway(float value) {
        float magnitude = Math.abs(value);
        int whole = (int) magnitude;
        int rounded = magnitude - whole >= 0.5f ? whole + 1 : whole;
        return (byte) (value < 0 ? -rounded : rounded);
    }

    private void copyRuns(long start, int n, MemorySegment out, long at, int size) {
        reader.runs(start, n, (dtype, data, from, step, where, count) -> {
            if (step == 1) {
                MemorySegment.copy(data, from * size, out, at + (long) where * size, (long) count * size);
                return;
            }
            for (int i = 0; i < count; i++) {
                long source = (from + i * step) * size;
                long target = at + (long) (where + i) * size;
                switch (size) {
                    case 4 -> out.set(TensorReader.I32, target, data.get(TensorReader.I32, source));
                    case 2 -> out.set(TensorReader.I16, target, data.get(TensorReader.I16, source));
                    default -> out.set(ValueLayout.JAVA_BYTE, target, data.get(ValueLayout.JAVA_BYTE, source));
                }
            }
        });
    }
}
