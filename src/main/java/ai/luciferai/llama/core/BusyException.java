package ai.luciferai.llama.core;

/** An object is in use by another thread and cannot be used or closed now. Remedy: cancel, wait, then try again. */
public final class BusyException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final String what;

    /**
     * @param what the object: "context #3 of tiny.gguf" (required)
     * @param by   what uses it: "generate on thread main" (required)
     */
    public BusyException(String what, String by) {
        super("%s is in use by %s".formatted(what, by), "cancel that work, wait for it to end, then try again", null);
        this.what = what;
    }

    /** The object that is in use. */
    public String what() {
        return what;
    }
}
