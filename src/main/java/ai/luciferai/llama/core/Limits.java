package ai.luciferai.llama.core;

/**
 * What one piece of work on a text that anybody may have written - a chat template, a grammar, a JSON schema - may take. What takes more is
 * refused as an {@link InvalidOptionException}.
 *
 * @param mib     memory that it holds at a time, in MiB; that of a JSON schema is Java's own
 * @param seconds of processor time that it takes
 */
public record Limits(long mib, double seconds) {

    /** Property that sets {@link #mib}. */
    public static final String MIB = "ai.luciferai.llama.limit.mib";
    /** Property that sets {@link #seconds}. */
    public static final String SECONDS = "ai.luciferai.llama.limit.seconds";

    public Limits {
        require(MIB, mib >= 1 && mib <= 1 << 20, "a whole number from 1 to 1048576", mib);
        require(SECONDS, seconds >= 0.001 && seconds <= 1e6, "a number from 0.001 to 1000000", seconds);
    }

    /** Those without a property: the native library's own. */
    public static Limits usual() {
        return new Limits(256, 10);
    }

    /**
     * By this process's properties, else {@link #usual}. The native library's are those when it is loaded.
     *
     * @throws InvalidOptionException a property is no such number
     */
    public static Limits current() {
        String mib = System.getProperty(MIB, Long.toString(usual().mib()));
        String seconds = System.getProperty(SECONDS, Double.toString(usual().seconds()));
        try {
            return new Limits(Long.parseLong(mib), Double.parseDouble(seconds));
        } catch (NumberFormatException e) {
            throw new InvalidOptionException("-D" + MIB + ", -D" + SECONDS, "numbers", mib + ", " + seconds);
        }
    }

    private static void require(String property, boolean condition, String expected, Object got) {
        if (!condition) {
            throw new InvalidOptionException("-D" + property, expected, got);
        }
    }

    /** In nanoseconds. */
    public long nanos() {
        return (long) (seconds * 1e9);
    }
}
