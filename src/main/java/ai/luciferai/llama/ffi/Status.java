package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.NativeCallException;
import ai.luciferai.llama.core.OutOfMemoryException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one place where a status of a C function becomes a typed exception. */
final class Status {

    static final int OK = LUCIFER_STATUS_OK();
    static final int BUFFER_TOO_SMALL = LUCIFER_STATUS_BUFFER_TOO_SMALL();
    static final int CONTEXT_FULL = LUCIFER_STATUS_CONTEXT_FULL();

    private static final List<String> NAMES = List.of("OK", "INVALID_ARGUMENT", "INVALID_FILE", "UNSUPPORTED", "OUT_OF_MEMORY",
            "CANCELLED", "BUFFER_TOO_SMALL", "CONTEXT_FULL", "FAILED", "EXCEPTION", "ABORTED", "POISONED");

    private static final Pattern FIELD = Pattern.compile("([a-z_]+) is (.+?), expected (.+)");

    /** Fields of the contract's structs that options have other names for. */
    private static final Map<String, String> OPTIONS = Map.of("n_ctx", "context-size", "n_batch", "batch-size", "n_ubatch", "ubatch-size",
            "n_seq_max", "sequences", "n_threads", "threads", "n_threads_batch", "threads-batch", "type_k", "cache-type-k", "type_v", "cache-type-v",
            "flash_attn", "flash-attention");

    private Status() {}

    /**
     * What a call was about, so that its failure can name it.
     *
     * @param model    the model or file that the call reads, or null
     * @param option   the option whose value the call judges, or null
     * @param expected what the option accepts, or null
     * @param given    the option's value, or null when the native message names it
     * @param second   another file that the call reads, which a message about it begins with; or null
     */
    record About(Object model, String option, String expected, Object given, Path second) {

        static final About NOTHING = new About(null, null, null, null, null);

        static About model(Object model) {
            return new About(model, null, null, null, null);
        }

        static About option(String option, String expected, Object given) {
            return new About(null, option, expected, given, null);
        }

        About andOption(String name, String accepts, Object value) {
            return new About(model, name, accepts, value, second);
        }

        About andFile(Path file) {
            return new About(model, option, expected, given, file);
        }

        /** Whether a message is about the second file. */
        boolean blamesSecond(String message) {
            return second != null && message.startsWith(second + ": ");
        }
    }

    /** Throws unless the call succeeded, and passes on what llama.cpp has logged. */
    static void check(int status, String function) {
        check(status, function, About.NOTHING);
    }

    /** {@link #check(int, String)} that knows what the call was about. */
    static void check(int status, String function, About about) {
        NativeLog.drain();
        if (status != OK) {
            throw exception(status, function, lastError(function), about);
        }
    }

    /** {@link #check(int, String)} for calls made once a token, which log nothing when they succeed. */
    static void checkHot(int status, String function) {
        if (status != OK) {
            check(status, function);
        }
    }

    /** Notes a failure where nobody can be told by an exception. */
    static void warn(int status, String what) {
        if (status != OK) {
            NativeLog.deliver(NativeLog.WARN, what + " failed (" + name(status) + "): " + lastError(""));
        }
    }

    static BridgeException exception(int status, String function, String message, About about) {
        return switch (name(status)) {
            case "CANCELLED" -> new CancelledException(plain(function) + (about.model() == null ? "" : " of " + about.model()));
            case "OUT_OF_MEMORY" -> new OutOfMemoryException(function + ": " + message,
                    message.contains("threads") ? "fewer threads" : "fewer GPU layers, a smaller context or a smaller quantization");
            case "INVALID_FILE" -> about.blamesSecond(message)
                    ? new InvalidFileException(about.second(), "contents", "a sound file that fits " + about.model(),
                            message.substring((about.second() + ": ").length()))
                    : about.model() instanceof Path path
                    ? new InvalidFileException(path, "native loader", "a file that llama.cpp can load", message)
                    : failure(status, function, message, null);
            case "INVALID_ARGUMENT" -> about.option() != null ? refused(message, about) : failure(status, function, message, null);
            case "UNSUPPORTED" -> about.model() != null
                    ? new UnsupportedModelException(about.model(), function, "something that this version can do", message)
                    : failure(status, function, message, null);
            case "ABORTED", "POISONED" -> failure(status, function, message, "the object can only be closed now");
            default -> failure(status, function, message, null);
        };
    }

    /** Of several options that a call takes, the message names the field of its struct that is wrong. */
    private static InvalidOptionException refused(String message, About about) {
        Matcher field = FIELD.matcher(message);
        if (field.matches()) {
            String name = field.group(1);
            return new InvalidOptionException(OPTIONS.getOrDefault(name, name.replace('_', '-')), field.group(3), field.group(2));
        }
        return new InvalidOptionException(about.option(), about.expected(), about.given() == null ? message : about.given() + " (" + message + ")");
    }

    /** The first line is the message, those after it are llama.cpp's own. */
    private static NativeCallException failure(int status, String function, String message, String hint) {
        List<String> lines = message.lines().toList();
        String first = lines.isEmpty() ? "" : lines.getFirst();
        return new NativeCallException(function, name(status), first, lines.subList(Math.min(1, lines.size()), lines.size()), hint);
    }

    private static String name(int status) {
        return status >= 0 && status < NAMES.size() ? NAMES.get(status) : "status " + status;
    }

    /** "lucifer_context_decode" as words. */
    private static String plain(String function) {
        return function.replace("lucifer_", "").replace('_', ' ');
    }

    /** Message of this thread's last failed call, without the function's name, which the exceptions give themselves. */
    private static String lastError(String function) {
        String text = lastError();
        return text.startsWith(function + ": ") ? text.substring(function.length() + 2) : text;
    }

    private static String lastError() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment text = arena.allocate(4096);
            if (lucifer_last_error(text, text.byteSize(), length) == BUFFER_TOO_SMALL) {
                text = arena.allocate(length.get(ValueLayout.JAVA_LONG, 0));
                lucifer_last_error(text, text.byteSize(), length);
            }
            long bytes = Math.min(length.get(ValueLayout.JAVA_LONG, 0), text.byteSize());
            return new String(text.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        }
    }
}
