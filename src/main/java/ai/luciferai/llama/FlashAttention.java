package ai.luciferai.llama;

/** Whether attention is computed without the score matrix in memory. */
public enum FlashAttention {
    /** Where model and device can. */
    AUTO(-1),
    OFF(0),
    ON(1);

    private final int code;

    FlashAttention(int code) {
        this.code = code;
    }

    /** The value of {@code enum llama_flash_attn_type}. */
    int code() {
        return code;
    }
}
