package ai.luciferai.llama.core;

/** The native library was not found, cannot be loaded here, or is of another version. Remedy: in the hint. */
public final class NativeLibraryException extends BridgeException {

    private static final long serialVersionUID = 1L;

    /**
     * @param message what was looked for, on which system, every place tried and what was wrong there (required)
     * @param hint    the property or command that fixes it, or null
     */
    public NativeLibraryException(String message, String hint) {
        this(message, hint, null);
    }

    /** With the cause, or null. */
    public NativeLibraryException(String message, String hint, Throwable cause) {
        super(message, hint, cause);
    }
}
