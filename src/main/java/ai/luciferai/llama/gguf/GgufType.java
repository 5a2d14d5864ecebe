package ai.luciferai.llama.gguf;

/** Type of a metadata value. The codes and names are those of {@code enum gguf_type} and {@code gguf_type_name}. */
public enum GgufType {
    UINT8("u8", 1),
    INT8("i8", 1),
    UINT16("u16", 2),
    INT16("i16", 2),
    UINT32("u32", 4),
    INT32("i32", 4),
    FLOAT32("f32", 4),
    BOOL("bool", 1),
    STRING("str", 0),
    ARRAY("arr", 0),
    UINT64("u64", 8),
    INT64("i64", 8),
    FLOAT64("f64", 8);

    private static final GgufType[] BY_CODE = values();

    private final String label;
    private final int bytes;

    GgufType(String label, int bytes) {
        this.label = label;
        this.bytes = bytes;
    }

    /** Number in the file; the constants stand in its order. */
    public int code() {
        return ordinal();
    }

    /** Name in llama.cpp's logs: "u32". */
    public String label() {
        return label;
    }

    /** Bytes of one value, 0 where the size varies (strings and arrays). */
    public int bytes() {
        return bytes;
    }

    /** Fewest bytes that one value takes in a file: a string has its length, an array its type and length. */
    public int minBytes() {
        return switch (this) {
            case STRING -> 8;
            case ARRAY -> 12;
            default -> bytes;
        };
    }

    /** Whether values are whole numbers. */
    public boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            default -> false;
        };
    }

    /** Whether values are floating-point numbers. */
    public boolean isFloat() {
        return this == FLOAT32 || this == FLOAT64;
    }

    /** The type with this number, or null. */
    public static GgufType ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}
