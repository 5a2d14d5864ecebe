package ai.luciferai.llama.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Array among the metadata: its elements as they are encoded in a file, decoded when asked for.
 *
 * <p>Elements of a fixed size are found by multiplication; for strings and arrays the first access by index walks the lengths once
 * and remembers where each element starts.
 *
 * <p><i>Ownership</i>: an array that was read is a view into its file and dies with it; one that was made ({@link #ofStrings} and
 * the like) stands alone. <i>Threads</i>: any.
 */
public final class GgufArray {

    private final GgufType type;
    private final int length;
    /** Read by absolute position only; its order is that of the file. */
    private final ByteBuffer data;
    /** Start of each element and the end of the last; only for strings and arrays; made on first use, never changed. */
    private volatile int[] starts;

    /**
     * @param type   type of the elements
     * @param length number of elements
     * @param data   exactly their bytes, already validated, in the byte order of the file
     */
    GgufArray(GgufType type, int length, ByteBuffer data) {
        this.type = type;
        this.length = length;
        this.data = data;
    }

    /** An array of strings. */
    public static GgufArray ofStrings(List<String> values) {
        var out = new ByteArrayOutputStream();
        for (String value : values) {
            byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
            out.writeBytes(little(8).putLong(bytes.length).array());
            out.writeBytes(bytes);
        }
        return made(GgufType.STRING, values.size(), out.toByteArray());
    }

    /** An array of strings given as bytes, for texts that are not whole UTF-8. */
    public static GgufArray ofByteStrings(List<byte[]> values) {
        var out = new ByteArrayOutputStream();
        for (byte[] bytes : values) {
            out.writeBytes(little(8).putLong(bytes.length).array());
            out.writeBytes(bytes);
        }
        return made(GgufType.STRING, values.size(), out.toByteArray());
    }

    /** An array of signed 32-bit numbers. */
    public static GgufArray ofInt32(int... values) {
        return ofInts(GgufType.INT32, values);
    }

    /** An array of unsigned 32-bit numbers, given by their bits. */
    public static GgufArray ofUint32(int... values) {
        return ofInts(GgufType.UINT32, values);
    }

    /** An array of 32-bit floats. */
    public static GgufArray ofFloat32(float... values) {
        ByteBuffer out = little(Math.multiplyExact(4, values.length));
        for (float value : values) {
            out.putFloat(value);
        }
        return made(GgufType.FLOAT32, values.length, out.array());
    }

    /** An array of booleans. */
    public static GgufArray ofBools(boolean... values) {
        ByteBuffer out = little(values.length);
        for (boolean value : values) {
            out.put((byte) (value ? 1 : 0));
        }
        return made(GgufType.BOOL, values.length, out.array());
    }

    /** An array of whole numbers of any integer type, which must fit it. */
    public static GgufArray ofIntegers(GgufType type, long... values) {
        if (!type.isInteger()) {
            throw new IllegalArgumentException(type + " is not an integer type");
        }
        ByteBuffer out = little(Math.multiplyExact(type.bytes(), values.length));
        for (long value : values) {
            GgufWriter.putInteger(out, type, value);
        }
        return made(type, values.length, out.array());
    }

    /** An array of 64-bit floats. */
    public static GgufArray ofFloat64(double... values) {
        ByteBuffer out = little(Math.multiplyExact(8, values.length));
        for (double value : values) {
            out.putDouble(value);
        }
        return made(GgufType.FLOAT64, values.length, out.array());
    }

    /** An array of arrays. GGUF allows them, llama.cpp does not load files that have one. */
    public static GgufArray ofArrays(List<GgufArray> values) {
        var out = new ByteArrayOutputStream();
        for (GgufArray value : values) {
            out.writeBytes(little(12).putInt(value.type.code()).putLong(value.length).array());
            out.writeBytes(value.littleEndian());
        }
        return made(GgufType.ARRAY, values.size(), out.toByteArray());
    }

    private static GgufArray ofInts(GgufType type, int[] values) {
        ByteBuffer out = little(Math.multiplyExact(4, values.length));
        for (int value : values) {
            out.putInt(value);
        }
        return made(type, values.length, out.array());
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static GgufArray made(GgufType type, int length, byte[] bytes) {
        return new GgufArray(type, length, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN));
    }

    /** Type of the elements. */
    public GgufType type() {
        return type;
    }

    /** Number of elements. */
    public int length() {
        return length;
    }

    /** Whole number at {@code i}. Unsigned 64-bit numbers above the range of a long come out negative. */
    public long integer(int i) {
        Objects.checkIndex(i, length);
        return switch (type) {
            case UINT8 -> Byte.toUnsignedLong(data.get(i));
            case INT8 -> data.get(i);
            case UINT16 -> Short.toUnsignedLong(data.getShort(2 * i));
            case INT16 -> data.getShort(2 * i);
            case UINT32 -> Integer.toUnsignedLong(data.getInt(4 * i));
            case INT32 -> data.getInt(4 * i);
            case UINT64, INT64 -> data.getLong(8 * i);
            default -> throw wrongType("integers");
        };
    }

    /** Number at {@code i}, of an integer or floating-point type. */
    public double number(int i) {
        Objects.checkIndex(i, length);
        return switch (type) {
            case FLOAT32 -> Float.intBitsToFloat(data.getInt(4 * i));
            case FLOAT64 -> Double.longBitsToDouble(data.getLong(8 * i));
            default -> integer(i);
        };
    }

    /** Boolean at {@code i}. */
    public boolean bool(int i) {
        Objects.checkIndex(i, length);
        require(GgufType.BOOL, "booleans");
        return data.get(i) != 0;
    }

    /** Bytes of the string at {@code i}. */
    public byte[] bytes(int i) {
        byte[] bytes = new byte[byteLength(i)];
        data.get(starts()[i] + 8, bytes);
        return bytes;
    }

    /**
     * String at {@code i}; bytes that are not UTF-8 become U+FFFD. Strings inside arrays are not validated on reading, because a
     * token may be a part of a character.
     */
    public String string(int i) {
        return new String(bytes(i), StandardCharsets.UTF_8);
    }

    /** At most the first {@code maxBytes} of the string at {@code i}, for showing. */
    public String string(int i, int maxBytes) {
        byte[] bytes = new byte[Math.min(byteLength(i), maxBytes)];
        data.get(starts()[i] + 8, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Length in bytes of the string at {@code i}. */
    public int byteLength(int i) {
        Objects.checkIndex(i, length);
        require(GgufType.STRING, "strings");
        return starts()[i + 1] - starts()[i] - 8;
    }

    /** Array at {@code i} of an array of arrays. */
    public GgufArray array(int i) {
        Objects.checkIndex(i, length);
        require(GgufType.ARRAY, "arrays");
        int start = starts()[i];
        ByteBuffer elements = data.slice(start + 12, starts()[i + 1] - start - 12).order(data.order());
        return new GgufArray(GgufType.ofCode(data.getInt(start)), (int) data.getLong(start + 4), elements);
    }

    /** Element at {@code i}: a Long, Double, Boolean, String or GgufArray. */
    public Object get(int i) {
        return switch (type) {
            case BOOL -> bool(i);
            case STRING -> string(i);
            case ARRAY -> array(i);
            case FLOAT32, FLOAT64 -> number(i);
            default -> integer(i);
        };
    }

    /** The elements as a list, decoded at each access. */
    public List<Object> list() {
        return new View<>() {
            @Override
            public Object get(int i) {
                return GgufArray.this.get(i);
            }
        };
    }

    /** The strings as a list, decoded at each access. */
    public List<String> strings() {
        require(GgufType.STRING, "strings");
        return new View<>() {
            @Override
            public String get(int i) {
                return string(i);
            }
        };
    }

    private abstract class View<T> extends AbstractList<T> implements RandomAccess {
        @Override
        public int size() {
            return length;
        }
    }

    /** The whole numbers, as ints; unsigned 32-bit numbers by their bits. */
    public int[] toInts() {
        var values = new int[length];
        for (int i = 0; i < length; i++) {
            values[i] = (int) integer(i);
        }
        return values;
    }

    /** The numbers, as floats. */
    public float[] toFloats() {
        var values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) number(i);
        }
        return values;
    }

    /** The elements' bytes as a little-endian file holds them. */
    byte[] littleEndian() {
        ByteBuffer little = data.order() == ByteOrder.LITTLE_ENDIAN || type.bytes() == 1 ? data : reordered().data;
        byte[] bytes = new byte[little.capacity()];
        little.get(0, bytes);
        return bytes;
    }

    private GgufArray reordered() {
        return switch (type) {
            case STRING -> ofByteStrings(list(this::bytes));
            case ARRAY -> ofArrays(list(this::array));
            case FLOAT32 -> ofFloat32(toFloats());
            case FLOAT64 -> ofFloat64(IntStream.range(0, length).mapToDouble(this::number).toArray());
            default -> ofIntegers(type, IntStream.range(0, length).mapToLong(this::integer).toArray());
        };
    }

    private <T> List<T> list(IntFunction<T> element) {
        return IntStream.range(0, length).mapToObj(element).toList();
    }

    private int[] starts() {
        int[] known = starts;
        if (known == null) {
            known = new int[length + 1];
            for (int i = 0; i < length; i++) {
                known[i + 1] = end(known[i], type);
            }
            starts = known;
        }
        return known;
    }

    /** Where the element of this type at {@code at} ends. */
    private int end(int at, GgufType elementType) {
        if (elementType == GgufType.STRING) {
            return at + 8 + (int) data.getLong(at);
        }
        if (elementType != GgufType.ARRAY) {
            return at + elementType.bytes();
        }
        GgufType inner = GgufType.ofCode(data.getInt(at));
        int innerLength = (int) data.getLong(at + 4);
        int position = at + 12;
        for (int i = 0; i < innerLength; i++) {
            position = end(position, inner);
        }
        return position;
    }

    private void require(GgufType wanted, String what) {
        if (type != wanted) {
            throw wrongType(what);
        }
    }

    private IllegalStateException wrongType(String what) {
        return new IllegalStateException("an array of " + type.label() + " has no " + what);
    }

    /** Same type and same elements, whatever the byte order of the file they came from. */
    @Override
    public boolean equals(Object other) {
        return other instanceof GgufArray that && type == that.type && length == that.length
                && Arrays.equals(littleEndian(), that.littleEndian());
    }

    @Override
    public int hashCode() {
        return 31 * type.hashCode() + length;
    }

    /** Type and length: "str[32000]". */
    @Override
    public String toString() {
        return type.label() + "[" + length + "]";
    }
}
