package ai.luciferai.llama.core;

/**
 * Root of everything that this library throws on purpose. Subclasses say what the caller can do about it.
 *
 * <p>The message is complete by itself, including the {@link #hint()} as its last line; the accessors of the subclasses give its
 * parts for programs.
 */
public abstract class BridgeException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** Longest part of a message, in characters. */
    private static final int MOST = 2000;

    /** May be null. */
    private final String hint;

    /**
     * @param message what failed, where, expected and got (required)
     * @param hint    the remedy in one sentence, or null when it is not known
     * @param cause   may be null
     */
    protected BridgeException(String message, String hint, Throwable cause) {
        super(hint == null ? message : message + System.lineSeparator() + "HINT: " + hint, cause);
        this.hint = hint;
    }

    /** A part of a message; a file may have names and values of any length. */
    static String clipped(String text) {
        return text == null || text.length() <= MOST ? text : text.substring(0, MOST) + "…";
    }

    /** The remedy in one sentence, or null when it is not known. */
    public String hint() {
        return hint;
    }
}
