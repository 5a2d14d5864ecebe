package ai.luciferai.llama.core;

/** An object was used after {@code close()}. Remedy: keep it open for as long as it is used. */
public final class ClosedException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final String what;

    /** @param what the object: "context #3 of tiny.gguf" (required) */
    public ClosedException(String what) {
        super(what + " was closed", null, null);
        this.what = what;
    }

    /** The object that was closed. */
    public String what() {
        return what;
    }
}
