package ai.luciferai.llama.cli;

import java.io.IOException;

/** One verb: words become an options record, the façade does the work, the result is printed. */
interface Command {

    /** What the verb accepts. */
    Syntax syntax();

    /** Whether all that it does takes a model: the native library is then loaded while the words are read. */
    default boolean takesModel() {
        return false;
    }

    /** Does it; returns the exit code, or throws what {@link ExitCode#of} maps to one. */
    int run(Arguments arguments, Environment environment) throws IOException;
}
