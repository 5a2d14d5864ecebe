package ai.luciferai.llama;

/** How the vectors of a text's tokens become one. */
public enum Pooling {
    /** What the file says; where it says nothing, the mean for encoders and the last token for causal models. */
    AUTO(-1),
    /** Not at all: one vector a token, see {@link Embedder#embedTokens}. */
    NONE(0),
    MEAN(1),
    /** The first token. */
    CLS(2),
    /** The last token. */
    LAST(3),
    /** The classification head of a reranker: scores instead of a vector. */
    RANK(4);

    private final int code;

    Pooling(int code) {
        this.code = code;
    }

    /** The value of {@code enum llama_pooling_type}. */
    int code() {
        return code;
    }

    static Pooling of(int code) {
        for (Pooling p : values()) {
            if (p.code == code) {
                return p;
            }
        }
        return AUTO;
    }
}
