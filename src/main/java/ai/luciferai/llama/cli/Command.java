package ai.luciferai.llama.cli;

import java.io.IOException;

/** One verb: words become an options record, the façade does the work, the result is printed. */
interface Command {

    /** What the verb accepts. */
    Syntax syntax();

    /** Begins, on a thread of its own, what all that it does needs; meanwhile the words are read. */
    default void prepare() {}

    /** Does it; returns the exit code, or throws what {@link ExitCode#of} maps to one. */
    int run(Arguments arguments, Environment environment) throws IOException;
}
