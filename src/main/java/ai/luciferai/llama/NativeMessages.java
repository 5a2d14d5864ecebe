package ai.luciferai.llama;

import ai.luciferai.llama.ffi.NativeLog;
import java.util.function.Consumer;

/**
 * llama.cpp's own log. Unless told otherwise it goes to the {@link System.Logger} of this library at DEBUG and below, which is
 * silent by default; what matters for an error is in the exception's message.
 *
 * <p><i>Threads</i>: any; the setting holds for the process.
 */
public final class NativeMessages {

    private NativeMessages() {}

    /** How much a line matters. */
    public enum Level {
        DEBUG(NativeLog.DEBUG),
        INFO(NativeLog.INFO),
        WARNING(NativeLog.WARN),
        ERROR(NativeLog.ERROR);

        private final int code;

        Level(int code) {
            this.code = code;
        }
    }

    /**
     * Gives lines of at least this level to a listener, without line end.
     *
     * @param listener called on the thread whose call caused the line, after that call or while it runs; what it throws is dropped
     */
    public static void listen(Level least, Consumer<String> listener) {
        NativeLog.listen(least.code, (level, text) -> listener.accept(text));
    }

    /** Drops every line. */
    public static void off() {
        NativeLog.listen(NativeLog.NONE, (level, text) -> { });
    }
}
