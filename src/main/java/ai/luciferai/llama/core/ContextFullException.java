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
        this(what, "", needed, capacity);
    }

    /** Where tokens were not counted, as they are far too many in any case: it needs at least so many. */
    public static ContextFullException atLeast(String what, long needed, long capacity) {
        return new ContextFullException(what, "at least ", needed, capacity);
    }

    private ContextFullException(String what, String about, long needed, long capacity) {
        super("%s needs %s%d tokens, the context holds %d".formatted(what, about, needed, capacity),
                "raise the context size or shorten the prompt", null);
        this.needed = needed;
        this.capacity = capacity;
    }

    /** Tokens that were needed, or more than that. */
    public long needed() {
        return needed;
    }

    /** Tokens that the context can hold. */
    public long capacity() {
        return capacity;
    }
}
