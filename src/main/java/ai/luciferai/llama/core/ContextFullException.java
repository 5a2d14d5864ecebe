package ai.luciferai.llama.core;

/** A prompt does not fit into the context. Remedy: a larger context or a shorter prompt. */
public final class ContextFullException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final long needed;
    private final long capacity;

    /**
     * @param what     what did not fit: "prompt" (required)
     * @param needed   tokens that it needs
     * @param capacity tokens that the context can hold
     */
    public ContextFullException(String what, long needed, long capacity) {
        super("%s needs %d tokens, the context holds %d".formatted(what, needed, capacity),
                "raise the context size or shorten the prompt", null);
        this.needed = needed;
        this.capacity = capacity;
    }

    /** Tokens that were needed. */
    public long needed() {
        return needed;
    }

    /** Tokens that the context can hold. */
    public long capacity() {
        return capacity;
    }
}
