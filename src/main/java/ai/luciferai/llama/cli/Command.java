package ai.luciferai.llama.cli;

import java.io.IOException;

/** One verb: words become an options record, the façade does the work, the result is printed. */
interface Command {

    /** What the verb accepts. */
    Syntax syntax();

    /** Does it; returns the exit code, or throws what {@link ExitCode#of} maps to one. */
    int run(Arguments arguments, Environment environment) throws IOException;
}
