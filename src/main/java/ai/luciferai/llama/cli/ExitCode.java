package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.NativeCallException;
import ai.luciferai.llama.core.NativeLibraryException;
import ai.luciferai.llama.core.OutOfMemoryException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.nio.file.NoSuchFileException;

/** How the process ends; the help documents the table. */
final class ExitCode {

    static final int OK = 0;
    static final int INTERNAL = 1;
    static final int USAGE = 2;
    static final int INPUT_FILE = 3;
    static final int UNSUPPORTED = 4;
    static final int NATIVE = 5;
    static final int CANCELLED = 130;
    /** What a shell reports for a program that SIGPIPE ended, which is what happens to others here. */
    static final int READER_GONE = 141;

    static final String HELP = """
            Exit codes:
              0    done
              1    a fault of ours, or the operating system refused (disk full, no permission)
              2    wrong option or value; a prompt that does not fit into the context
              3    an input file is missing, damaged or not what it should be
              4    the model, backend or platform cannot do this
              5    failure in native code: library not loadable, llama.cpp failed, out of memory
              130  cancelled by Ctrl-C (a second one ends the process at once)
              141  the reader of stdout went away
              143  ended by SIGTERM: the work is told, and has five seconds""";

    private ExitCode() {}

    static int of(Throwable fault) {
        return switch (fault) {
            case CancelledException e -> CANCELLED;
            case InvalidOptionException e -> USAGE;
            case ContextFullException e -> USAGE;
            case InvalidFileException e -> INPUT_FILE;
            case NoSuchFileException e -> INPUT_FILE;
            case UnsupportedModelException e -> UNSUPPORTED;
            case NativeLibraryException e -> NATIVE;
            case NativeCallException e -> NATIVE;
            case OutOfMemoryException e -> NATIVE;
            case Environment.ReaderGoneException e -> READER_GONE;
            default -> INTERNAL;
        };
    }
}
