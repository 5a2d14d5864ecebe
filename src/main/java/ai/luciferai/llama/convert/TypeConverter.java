package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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

    private final GgmlType type;
    private final TensorReader reader;
    /** Whether the stored bits are copied: the storage has the output's type and nothing is computed. */
    private final boolean copy;
    /** Whether BF16 becomes F16 without a stop in between: the usual conversion, worth a loop of its own. */
    private final boolean narrow;
    private final boolean packed;
    private final float[] floats = new float[BLOCK];
    private final short[] shorts = new short[BLOCK];
    private final long[] longs = new long[BLOCK / 4];
    private final byte[] bytes;

    TypeConverter(Tensor tensor, GgmlType type) {
        this.type = type;
        this.reader = new TensorReader(tensor);
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
        this.bytes = new byte[type == GgmlType.Q8_0 ? BLOCK / 32 * 34 : 0];
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
        reader.read(start, floats, n);
        MemorySegment.copy(floats, 0, out, TensorReader.F32, at, n);
    }

    private void f16(long start, int n, MemorySegment out, long at) {
        if (copy) {
            copyRuns(start, n, out, at, 2);
            return;
        }
        if (narrow) {
            copyRuns(start, n, out, at, 2);
            narrow(out, at, n);
            return;
        }
        reader.read(start, floats, n);
        for (int i = 0; i < n; i++) {
            shorts[i] = Float.floatToFloat16(floats[i]);
        }
        MemorySegment.copy(shorts, 0, out, TensorReader.I16, at, n);
        if (anyNan(out, at, n, 0x7C007C007C007C00L)) {
            for (int i = 0; i < n; i++) {
                out.set(TensorReader.I16, at + 2L * i, half(Float.floatToRawIntBits(floats[i])));
            }
        }
    }

    /**
     * Turns BF16 into F16 in place, four numbers in a long at a time: nearly all weights become normal halves, which takes an offset to
     * the exponent and a shift. A long with any other number is done one by one.
     */
    private void narrow(MemorySegment out, long at, int n) {
        int whole = n / 4;
        MemorySegment.copy(out, TensorReader.I64, at, longs, 0, whole);
        for (int i = 0; i < whole; i++) {
            long four = longs[i];
            long magnitudes = four & ~SIGNS;
            long inRange = (magnitudes | SIGNS) - 0x3880388038803880L & 0xC77FC77FC77FC77FL - magnitudes;
            longs[i] = (inRange & SIGNS) == SIGNS ? magnitudes - 0x3800380038003800L << 3 | four & SIGNS : oneByOne(four);
        }
        MemorySegment.copy(longs, 0, out, TensorReader.I64, at, whole);
        for (int i = whole * 4; i < n; i++) {
            out.set(TensorReader.I16, at + 2L * i, half(out.get(TensorReader.I16, at + 2L * i) << 16));
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
        int whole = n / 4;
        MemorySegment.copy(out, TensorReader.I64, at, longs, 0, whole);
        long sums = 0;
        for (int i = 0; i < whole; i++) {
            sums |= (longs[i] & ~SIGNS) + (~SIGNS - infinity); // the sign bit of a sum: above infinity
        }
        for (int i = whole * 4; i < n; i++) {
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
        reader.read(start, floats, n);
        for (int i = 0; i < n; i++) {
            int bits = Float.floatToRawIntBits(floats[i]);
            int rounded = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
            shorts[i] = (short) ((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >>> 16 | 0x40 : rounded);
        }
        MemorySegment.copy(shorts, 0, out, TensorReader.I16, at, n);
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
        reader.read(start, floats, n);
        int o = 0;
        for (int b = 0; b < n; b += 32) {
            float max = 0;
            for (int i = b; i < b + 32; i++) {
                max = Math.max(max, Math.abs(floats[i]));
            }
            float d = max / 127f;
            float id = d == 0 ? 0 : 1f / d;
            short scale = Float.floatToFloat16(d);
            bytes[o] = (byte) scale;
            bytes[o + 1] = (byte) (scale >> 8);
            for (int i = 0; i < 32; i++) {
                bytes[o + 2 + i] = roundHalfAway(floats[b + i] * id);
            }
            o += 34;
        }
        MemorySegment.copy(bytes, 0, out, ValueLayout.JAVA_BYTE, at, o);
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
