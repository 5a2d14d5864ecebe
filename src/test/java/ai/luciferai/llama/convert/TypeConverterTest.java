package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.DType;
import ai.luciferai.llama.hf.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Bits of converted values at the places where roundings differ. */
class TypeConverterTest {

    private static ByteBuffer converted(Tensor tensor, GgmlType type) {
        byte[] out = new byte[(int) type.bytes(tensor.count())];
        new TypeConverter(tensor, type, new TypeConverter.Room()).convert(0, tensor.count(), MemorySegment.ofArray(out));
        return ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static short[] shorts(GgmlType type, float... values) {
        short[] out = new short[values.length];
        converted(Tensor.of(values, values.length), type).asShortBuffer().get(out);
        return out;
    }

    private static Tensor stored(DType type, short... bits) {
        ByteBuffer bytes = ByteBuffer.allocate(2 * bits.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asShortBuffer().put(bits);
        return Tensor.of(StoredTensor.dense("t", type, new long[] {bits.length}, MemorySegment.ofArray(bytes.array()), Path.of("test")));
    }

    @Test
    void halfRoundsToNearestEvenAndOverflowsToInfinity() {
        assertArrayEquals(new short[] {0x7BFF, 0x7C00, (short) 0xFC00, 0x0001, 0x0000, 0x3C00, 0x3C02},
                shorts(GgmlType.F16, 65519.99f, 65520f, -65520f, 5.9604645e-8f, 2.9802322e-8f, 1 + 0x1p-11f, 1 + 3 * 0x1p-11f));
    }

    @Test
    void everyBf16BecomesTheNearestHalf() {
        short[] all = new short[65537]; // an odd number: the last one has no partner
        for (int i = 0; i < all.length; i++) {
            all[i] = (short) i;
        }
        ByteBuffer halves = converted(stored(DType.BF16, all), GgmlType.F16);
        for (int i = 0; i < all.length; i++) {
            int bits = all[i] << 16;
            float value = Float.intBitsToFloat(bits);
            int expected = Float.isNaN(value) ? bits >>> 16 & 0x8000 | 0x7C00 | bits >>> 13 & 0x3FF : Float.floatToFloat16(value);
            assertEquals((short) expected, halves.getShort(2 * i), () -> Integer.toHexString(bits));
        }
    }

    @Test
    void halfKeepsTheLeadingBitsOfANan() {
        assertArrayEquals(new short[] {0x7C01, 0x7DFF, (short) 0xFE00, 0x3C00}, shorts(GgmlType.F16, Float.intBitsToFloat(0x7F800001),
                Float.intBitsToFloat(0x7FBFFFFF), Float.intBitsToFloat(0xFFC00001), 1));
    }

    @Test
    void bf16RoundsToNearestEvenAndQuietsNans() {
        assertArrayEquals(new short[] {0x3F80, 0x3F82, 0x7F80, 0x7FC0},
                shorts(GgmlType.BF16, 1 + 0x1p-8f, 1 + 3 * 0x1p-8f, 3.4e38f, Float.intBitsToFloat(0x7F800001)));
        ByteBuffer same = converted(stored(DType.BF16, (short) 0x7F81, (short) 0x3F80), GgmlType.BF16);
        assertEquals(0x7FC1, same.getShort(0));
        assertEquals(0x3F80, same.getShort(2));
    }

    @Test
    void halfToHalfKeepsEveryBit() {
        ByteBuffer same = converted(stored(DType.F16, (short) 0x7C01, (short) 0xFE55), GgmlType.F16);
        assertEquals(0x7C01, same.getShort(0));
        assertEquals((short) 0xFE55, same.getShort(2));
    }

    @Test
    void q8RoundsHalvesAwayFromZero() {
        float[] block = new float[32];
        block[0] = 127; // a scale of one
        block[1] = 0.5f;
        block[2] = -0.5f;
        block[3] = 1.5f;
        block[4] = 2.4999998f;
        ByteBuffer out = converted(Tensor.of(block, 32), GgmlType.Q8_0);
        assertEquals(0x3C00, out.getShort(0));
        assertArrayEquals(new byte[] {127, 1, -1, 2, 2, 0}, new byte[] {out.get(2), out.get(3), out.get(4), out.get(5), out.get(6), out.get(7)});
    }

    /** A block whose scale is so small that its reciprocal is infinite; and one with an infinite value. */
    @Test
    void q8WithoutAScaleIsZero() {
        for (float odd : new float[] {1e-42f, -1e-42f, Float.POSITIVE_INFINITY, Float.NaN}) {
            float[] block = new float[32];
            block[3] = odd;
            ByteBuffer out = converted(Tensor.of(block, 32), GgmlType.Q8_0);
            for (int i = 2; i < 34; i++) {
                assertEquals(0, out.get(i), "element " + (i - 2) + " beside " + odd);
            }
        }
    }

    @Test
    void q8RoundsAsItsDefinitionSays() {
        var random = new java.util.Random(5);
        float[] values = new float[32 * 2000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 32 == 0 ? 127 : random.nextInt(3) == 0 ? random.nextInt(254) / 2f - 63 : (random.nextFloat() - 0.5f) * 250;
        }
        ByteBuffer out = converted(Tensor.of(values, values.length), GgmlType.Q8_0);
        for (int i = 0; i < values.length; i++) { // sign(v) * (floor|v| + floor(2 * (|v| - floor|v|)))
            double magnitude = Math.abs(values[i]);
            double rounded = Math.floor(magnitude) + Math.floor(2 * (magnitude - Math.floor(magnitude)));
            assertEquals((int) (Math.signum(values[i]) * rounded), out.get(i / 32 * 34 + 2 + i % 32), "of " + values[i]);
        }
    }

    @Test
    void q8OfZerosIsZero() {
        ByteBuffer out = converted(Tensor.of(new float[32], 32), GgmlType.Q8_0);
        for (int i = 0; i < 34; i++) {
            assertEquals(0, out.get(i));
        }
    }

    @Test
    void arithmeticOfHalfTensorsIsInHalfPrecision() {
        short tiny = Float.floatToFloat16(0.00048f); // 1 + tiny is between two halves
        ByteBuffer out = converted(stored(DType.F16, tiny).plusOne(), GgmlType.F32);
        assertEquals(Float.float16ToFloat(Float.floatToFloat16(1 + Float.float16ToFloat(tiny))), out.getFloat(0));
    }

    @Test
    void eightBitFloatsHaveTheirValues() {
        assertEquals(448f, TensorReader.one(DType.F8_E4M3, MemorySegment.ofArray(new byte[] {0x7E}), 0));
        assertEquals(-0x1p-9f, TensorReader.one(DType.F8_E4M3, MemorySegment.ofArray(new byte[] {(byte) 0x81}), 0));
        assertEquals(57344f, TensorReader.one(DType.F8_E5M2, MemorySegment.ofArray(new byte[] {0x7B}), 0));
        assertEquals(0x1p-127f, TensorReader.one(DType.F8_E8M0, MemorySegment.ofArray(new byte[] {0}), 0));
    }
}
