package ai.luciferai.llama;

import java.util.Optional;

/**
 * What became of one type of a batch.
 *
 * @param options what was asked for
 * @param state   how it ended
 * @param report  when done
 * @param failure when failed
 */
public record QuantizeResult(QuantizeOptions options, State state, Optional<QuantizeReport> report, Optional<Exception> failure) {

    /** How it ended. */
    public enum State {
        /** The output was written. */
        DONE,
        /** The output existed already. */
        SKIPPED,
        /** There is no output. */
        FAILED
    }
}
