package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.IoFault;
import java.io.IOException;
import java.io.UncheckedIOException;

/** What went wrong, in the words of who typed the command. */
final class Faults {

    private Faults() {}

    /** @param arguments null where reading the words failed */
    static String message(Throwable fault, Arguments arguments) {
        return switch (fault) {
            case InvalidOptionException e -> refusal(e, arguments);
            case BridgeException e -> e.getMessage();
            case OutOfMemoryError e when String.valueOf(e.getMessage()).contains("native thread") -> "the system starts no more threads ("
                    + e.getMessage() + ")" + System.lineSeparator() + "HINT: end other programs, or raise the limits of this user (ulimit -u, -v)";
            case OutOfMemoryError e -> "the Java heap is full (" + e.getMessage() + ")" + System.lineSeparator()
                    + "HINT: LUCIFER_LLAMA_OPTS=-Xmx4g gives it more";
            case IOException e -> e.getMessage() == null ? e.toString() : IoFault.text(e);
            case UncheckedIOException e -> e.getMessage();
            default -> fault.toString();
        };
    }

    /** A record names its component; the user knows the option that he typed. What is no option is not called one. */
    private static String refusal(InvalidOptionException e, Arguments arguments) {
        TypedNames names = arguments == null ? null : new TypedNames(arguments);
        String name = names == null ? e.option() : names.of(e.option(), e.got());
        return "%s%s: expected %s, got %s%s".formatted(name.startsWith("-") ? "option " : "", name, e.expected(),
                names == null ? e.got() : names.got(e.option(), e.got()), e.hint() == null ? "" : System.lineSeparator() + "HINT: " + e.hint());
    }
}
