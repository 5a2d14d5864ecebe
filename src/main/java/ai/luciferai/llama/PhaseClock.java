package ai.luciferai.llama;

import java.util.function.LongSupplier;

/** Adds up the time spent inside a generation, before and after its first token; what its reader does between two tokens is left out. */
final class PhaseClock {

    private static final double NANOS_PER_MILLI = 1e6;

    private final LongSupplier nanoTime;
    private long since;
    private long promptNanos;
    private long generationNanos;
    private boolean hasFirst;

    PhaseClock() {
        this(System::nanoTime);
    }

    PhaseClock(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Work begins, or goes on. */
    void enter() {
        since = nanoTime.getAsLong();
    }

    /** Work pauses, or ends. */
    void leave() {
        long now = nanoTime.getAsLong();
        if (hasFirst) {
            generationNanos += now - since;
        } else {
            promptNanos += now - since;
        }
        since = now;
    }

    /** A token was chosen; only the first one changes the phase. */
    void token() {
        if (!hasFirst) {
            leave();
            hasFirst = true;
        }
    }

    Timings timings(int promptTokens, int reusedTokens, int generatedTokens) {
        double promptMillis = promptNanos / NANOS_PER_MILLI;
        return new Timings(promptTokens, reusedTokens, promptMillis, generatedTokens, generationNanos / NANOS_PER_MILLI,
                hasFirst ? promptMillis : 0);
    }
}
