package ai.luciferai.llama.cli;

import java.io.IOException;

/** Where a conversation's lines come from: a terminal, or a pipe. */
interface Lines extends AutoCloseable {

    /** The user pressed Ctrl-C in place of a line. */
    final class InterruptedLineException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** The next input, of several lines where all but the last end with a backslash; null at the end. */
    String next() throws IOException, InterruptedLineException;

    /** Calls this when Ctrl-C is pressed while nobody reads. */
    void onInterrupt(Runnable action);

    @Override
    void close() throws IOException;
}
