package ai.luciferai.llama.gguf;

/**
 * Type of a tensor's elements: id, name and block geometry of every type of ggml 0.25.1.
 *
 * <p><i>Source</i>: {@code enum ggml_type} in ggml.h and {@code type_traits} in ggml.c. Ids 4, 5, 31 to 33 and 36 to 38 were used by
 * types that ggml has removed.
 */
public enum GgmlType {
    F32(0, "f32", 1, 4),
    F16(1, "f16", 1, 2),
    Q4_0(2, "q4_0", 32, 18),
    Q4_1(3, "q4_1", 32, 20),
    Q5_0(6, "q5_0", 32, 22),
    Q5_1(7, "q5_1", 32, 24),
    Q8_0(8, "q8_0", 32, 34),
    Q8_1(9, "q8_1", 32, 36),
    Q2_K(10, "q2_K", 256, 84),
    Q3_K(11, "q3_K", 256, 110),
    Q4_K(12, "q4_K", 256, 144),
    Q5_K(13, "q5_K", 256, 176),
    Q6_K(14, "q6_K", 256, 210),
    Q8_K(15, "q8_K", 256, 292),
    IQ2_XXS(16, "iq2_xxs", 256, 66),
    IQ2_XS(17, "iq2_xs", 256, 74),
    IQ3_XXS(18, "iq3_xxs", 256, 98),
    IQ1_S(19, "iq1_s", 256, 50),
    IQ4_NL(20, "iq4_nl", 32, 18),
    IQ3_S(21, "iq3_s", 256, 110),
    IQ2_S(22, "iq2_s", 256, 82),
    IQ4_XS(23, "iq4_xs", 256, 136),
    I8(24, "i8", 1, 1),
    I16(25, "i16", 1, 2),
    I32(26, "i32", 1, 4),
    I64(27, "i64", 1, 8),
    F64(28, "f64", 1, 8),
    IQ1_M(29, "iq1_m", 256, 56),
    BF16(30, "bf16", 1, 2),
    TQ1_0(34, "tq1_0", 256, 54),
    TQ2_0(35, "tq2_0", 256, 66),
    MXFP4(39, "mxfp4", 32, 17),
    NVFP4(40, "nvfp4", 64, 36),
    Q1_0(41, "q1_0", 128, 18),
    Q2_0(42, "q2_0", 64, 18);

    private static final GgmlType[] BY_ID = new GgmlType[43];

    static {
        for (GgmlType type : values()) {
            BY_ID[type.id] = type;
        }
    }

    private final int id;
    private final String label;
    private final int blockElements;
    private final int blockBytes;

    GgmlType(int id, String label, int blockElements, int blockBytes) {
        this.id = id;
        this.label = label;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    /** Number in the file. */
    public int id() {
        return id;
    }

    /** Name as ggml prints it: "q4_K". */
    public String label() {
        return label;
    }

    /** Elements in one block; 1 for plain types. A row holds whole blocks. */
    public int blockElements() {
        return blockElements;
    }

    /** Bytes of one block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether elements are stored in blocks with common scales. */
    public boolean isQuantized() {
        return blockElements > 1;
    }

    /** Bits per element, scales included. */
    public double bitsPerElement() {
        return 8.0 * blockBytes / blockElements;
    }

    /**
     * Bytes of so many elements.
     *
     * @throws ArithmeticException when they are not whole blocks or the result does not fit into a long
     */
    public long bytes(long elements) {
        if (elements % blockElements != 0) {
            throw new ArithmeticException("%d elements are not whole blocks of %d (%s)".formatted(elements, blockElements, label));
        }
        return Math.multiplyExact(elements / blockElements, (long) blockBytes);
    }

    /** The type with this id, or null when ggml 0.25.1 has none. */
    public static GgmlType ofId(int id) {
        return id >= 0 && id < BY_ID.length ? BY_ID[id] : null;
    }

    /** Why an id without a type is refused. */
    static String whyUnknown(int id) {
        return switch (id) {
            case 4, 5, 31, 32, 33, 36, 37, 38 -> id + ", a type that ggml has removed";
            default -> Integer.toString(id);
        };
    }
}
