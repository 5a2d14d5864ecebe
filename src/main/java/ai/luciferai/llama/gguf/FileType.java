package ai.luciferai.llama.gguf;

/**
 * What most tensors of a file are stored as: ids of {@code enum llama_ftype}, named as {@code llama_ftype_name} prints them.
 *
 * <p><i>Source</i>: llama.h and llama-model-loader.cpp of llama.cpp v0.5.0.
 */
public enum FileType {
    ALL_F32(0, "all F32"),
    F16(1, "F16"),
    Q4_0(2, "Q4_0"),
    Q4_1(3, "Q4_1"),
    Q8_0(7, "Q8_0"),
    Q5_0(8, "Q5_0"),
    Q5_1(9, "Q5_1"),
    Q2_K(10, "Q2_K - Medium"),
    Q3_K_S(11, "Q3_K - Small"),
    Q3_K_M(12, "Q3_K - Medium"),
    Q3_K_L(13, "Q3_K - Large"),
    Q4_K_S(14, "Q4_K - Small"),
    Q4_K_M(15, "Q4_K - Medium"),
    Q5_K_S(16, "Q5_K - Small"),
    Q5_K_M(17, "Q5_K - Medium"),
    Q6_K(18, "Q6_K"),
    IQ2_XXS(19, "IQ2_XXS - 2.0625 bpw"),
    IQ2_XS(20, "IQ2_XS - 2.3125 bpw"),
    Q2_K_S(21, "Q2_K - Small"),
    IQ3_XS(22, "IQ3_XS - 3.3 bpw"),
    IQ3_XXS(23, "IQ3_XXS - 3.0625 bpw"),
    IQ1_S(24, "IQ1_S - 1.5625 bpw"),
    IQ4_NL(25, "IQ4_NL - 4.5 bpw"),
    IQ3_S(26, "IQ3_S - 3.4375 bpw"),
    IQ3_M(27, "IQ3_S mix - 3.66 bpw"),
    IQ2_S(28, "IQ2_S - 2.5 bpw"),
    IQ2_M(29, "IQ2_M - 2.7 bpw"),
    IQ4_XS(30, "IQ4_XS - 4.25 bpw"),
    IQ1_M(31, "IQ1_M - 1.75 bpw"),
    BF16(32, "BF16"),
    TQ1_0(36, "TQ1_0 - 1.69 bpw ternary"),
    TQ2_0(37, "TQ2_0 - 2.06 bpw ternary"),
    MXFP4_MOE(38, "MXFP4 MoE"),
    NVFP4(39, "NVFP4"),
    Q1_0(40, "Q1_0"),
    Q2_0(41, "Q2_0");

    private final int id;
    private final String label;

    FileType(int id, String label) {
        this.id = id;
        this.label = label;
    }

    /** Number under {@code general.file_type}. */
    public int id() {
        return id;
    }

    /** Name as llama.cpp prints it: "Q4_K - Medium". */
    public String label() {
        return label;
    }

    /** The file type with this id, or null. */
    public static FileType ofId(long id) {
        for (FileType type : values()) {
            if (type.id == id) {
                return type;
            }
        }
        return null;
    }
}
