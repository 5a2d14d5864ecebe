package ai.luciferai.llama.core;

/** The work was ended by its {@link Cancel}; output files do not exist. */
public final class CancelledException extends BridgeException {

    private static final long serialVersionUID = 1L;

    /** @param what the work that ended early: "load of tiny.gguf" (required) */
    public CancelledException(String what) {
        super(what + " was cancelled", null, null);
    }
}
