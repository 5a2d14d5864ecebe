package ai.luciferai.llama;

/** How a model is spread over several devices. */
public enum SplitMode {
    /** One device holds all: {@link Placement#mainGpu()}. */
    NONE(0),
    /** Whole layers, with their part of the KV cache. */
    LAYER(1),
    /** Rows of the weights, where the backend can. */
    ROW(2),
    /** Tensor parallelism over the devices. */
    TENSOR(3);

    private final int code;

    SplitMode(int code) {
        this.code = code;
    }

    /** The value of {@code enum llama_split_mode}. */
    int code() {
        return code;
    }
}
