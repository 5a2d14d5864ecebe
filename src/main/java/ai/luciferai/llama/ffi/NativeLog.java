package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Pulls llama.cpp's log lines out of the native ring, after each call and on each poll of a long one, and gives them to the
 * logger {@value #LOGGER}, or to a listener in its place. Native code never calls Java to log: an upcall from a thread of llama.cpp
 * would attach it to the VM, and an exception in it would end the process.
 *
 * <p>To the logger everything goes at DEBUG or below, because a library is silent by default: what is wrong with a call is in the
 * exception's message.
 *
 * <p><i>Threads</i>: any; one drains at a time, the others go on without waiting.
 */
public final class NativeLog {

    /** Name of the {@link System.Logger}. */
    public static final String LOGGER = "ai.luciferai.llama";

    /** Levels of llama.cpp; {@link #NONE} lies above all. */
    public static final int DEBUG = 1;
    public static final int INFO = 2;
    public static final int WARN = 3;
    public static final int ERROR = 4;
    public static final int NONE = 5;

    private static final int LINE_BYTES = 16 * 1024;
    private static final ReentrantLock LOCK = new ReentrantLock();

    /** Who gets the lines; null: the logger. */
    private static volatile Listener listener;
    private static volatile int level;

    /** What the native side has been told. */
    private static int applied = NONE;

    private NativeLog() {}

    /** Receives lines, without line end. What it throws is dropped together with the line. */
    @FunctionalInterface
    public interface Listener {
        void line(int level, String text);
    }

    /**
     * Gives the lines to a listener in place of the logger.
     *
     * @param minimum  lowest level that it gets; {@link #NONE}: nothing
     * @param receiver who gets them, or null for the logger
     */
    public static void listen(int minimum, Listener receiver) {
        listener = receiver;
        level = minimum;
        if (NativeLibrary.isLoaded()) {
            applyLevel();
        }
    }

    /** Tells the native side which lines anybody wants; the others are not even formatted. */
    static synchronized void applyLevel() {
        if (listener == null && level == 0) {
            Logger logger = System.getLogger(LOGGER);
            level = logger.isLoggable(Level.TRACE) ? DEBUG : logger.isLoggable(Level.DEBUG) ? INFO : NONE;
        }
        if (level != applied) {
            lucifer_log_set_level(level);
            applied = level;
        }
    }

    /** Takes every line out of the ring. */
    public static void drain() {
        if (level == NONE || !NativeLibrary.isLoaded() || LOCK.isHeldByCurrentThread() || !LOCK.tryLock()) {
            return;
        }
        try {
            while (take()) {
                // until the ring is empty
            }
        } finally {
            LOCK.unlock();
        }
    }

    /** Gives one line to whoever listens. */
    static void deliver(int lineLevel, String text) {
        Listener receiver = listener;
        try {
            if (receiver != null) {
                receiver.line(lineLevel, text);
            } else {
                System.getLogger(LOGGER).log(lineLevel == DEBUG ? Level.TRACE : Level.DEBUG, prefix(lineLevel) + text);
            }
        } catch (RuntimeException fault) {
            // a listener's own trouble must not look like a failed native call
        }
    }

    private static String prefix(int lineLevel) {
        return switch (lineLevel) {
            case WARN -> "warning: ";
            case ERROR -> "error: ";
            default -> "";
        };
    }

    private static boolean take() {
        Ring ring = Ring.BUFFERS;
        int status = ring.take(ring.text);
        if (status == Status.BUFFER_TOO_SMALL) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment longer = arena.allocate(ring.length.get(ValueLayout.JAVA_LONG, 0));
                return ring.pass(ring.take(longer), longer);
            }
        }
        return ring.pass(status, ring.text);
    }

    /** Where lines are copied to. Lives as long as the library, which is never unloaded; used under {@link #LOCK}. */
    private static final class Ring {
        static final Ring BUFFERS = new Ring();

        private final MemorySegment lineLevel = Arena.global().allocate(ValueLayout.JAVA_INT);
        private final MemorySegment dropped = Arena.global().allocate(ValueLayout.JAVA_LONG);
        private final MemorySegment length = Arena.global().allocate(ValueLayout.JAVA_LONG);
        private final MemorySegment text = Arena.global().allocate(LINE_BYTES);

        int take(MemorySegment into) {
            return lucifer_log_take(lineLevel, dropped, into, into.byteSize(), length);
        }

        /** Delivers what was taken; false when there was nothing. */
        boolean pass(int status, MemorySegment from) {
            long bytes = length.get(ValueLayout.JAVA_LONG, 0);
            long lost = dropped.get(ValueLayout.JAVA_LONG, 0);
            if (status == Status.OK && lost > 0) {
                deliver(WARN, lost + " log lines were dropped");
            }
            if (status != Status.OK || bytes < 0) {
                return false;
            }
            byte[] line = from.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
            deliver(lineLevel.get(ValueLayout.JAVA_INT, 0), new String(line, StandardCharsets.UTF_8).stripTrailing());
            return true;
        }
    }
}
