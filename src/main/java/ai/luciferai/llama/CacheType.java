package ai.luciferai.llama;

/** Number format of the KV cache; the smaller ones need {@link FlashAttention} for values. */
public enum CacheType {
    F32(0),
    F16(1),
    BF16(30),
    Q8_0(8),
    Q4_0(2),
    Q4_1(3),
    IQ4_NL(20),
    Q5_0(6),
    Q5_1(7);

    private final int code;

    CacheType(int code) {
        this.code = code;
    }

    /** The value of {@code enum ggml_type}. */
    int code() {
        return code;
    }

    /** Whether blocks of values share a scale. */
    public boolean isQuantized() {
        return this != F32 && this != F16 && this != BF16;
    }
}
