package ai.luciferai.llama.core;

/** An option or argument has a value that cannot be used. Remedy: another value. */
public final class InvalidOptionException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final String option;
    private final String expected;
    private final String got;

    /**
     * @param option   name of the option or argument: "topP", "device" (required)
     * @param expected what would be accepted: "a number from 0 to 1" (required)
     * @param got      what was given; its text is kept
     */
    public InvalidOptionException(String option, String expected, Object got) {
        this(option, expected, got, null);
    }

    /** With the remedy, or null. */
    public InvalidOptionException(String option, String expected, Object got, String hint) {
        super("option %s: expected %s, got %s".formatted(option, expected, got), hint, null);
        this.option = option;
        this.expected = expected;
        this.got = String.valueOf(got);
    }

    /** Name of the option or argument. */
    public String option() {
        return option;
    }

    /** What would be accepted. */
    public String expected() {
        return expected;
    }

    /** What was given. */
    public String got() {
        return got;
    }
}
