package ai.luciferai.llama.ffi;

import java.lang.System.Logger.Level;
import java.lang.ref.Cleaner;

/**
 * Tells about handles that were dropped without {@code close()}, and where they were opened. On with
 * {@code -Dai.luciferai.llama.leaks=true}. It never frees: freeing from a collector's thread, in any order, is how use after free
 * begins.
 */
final class LeakReport {

    private static final boolean ON = Boolean.getBoolean("ai.luciferai.llama.leaks");
    private static final LeakReport OFF = new LeakReport(null);

    private final Cleaner.Cleanable cleanable;
    private final Trace trace;

    private LeakReport(Trace trace) {
        this.trace = trace;
        this.cleanable = null;
    }

    private LeakReport(Object handle, Trace trace) {
        this.trace = trace;
        this.cleanable = Watch.CLEANER.register(handle, trace);
    }

    /** Begins to watch a handle. */
    static LeakReport watch(Object handle, String name) {
        return ON ? new LeakReport(handle, new Trace(name)) : OFF;
    }

    /** The handle was closed as it should be. */
    void closed() {
        if (trace != null) {
            trace.closed = true;
            cleanable.clean();
        }
    }

    /** Made only when watching is on: a cleaner is a thread. */
    private static final class Watch {
        static final Cleaner CLEANER = Cleaner.create();
    }

    /** What remains of a handle when it is gone. Must not refer to it. */
    private static final class Trace implements Runnable {
        private final String name;
        private final Throwable openedAt;
        private volatile boolean closed;

        Trace(String name) {
            this.name = name;
            this.openedAt = new Throwable(name + " was opened here");
        }

        @Override
        public void run() {
            if (!closed) {
                System.getLogger(NativeLog.LOGGER).log(Level.WARNING, name + " was never closed: its native memory is lost", openedAt);
            }
        }
    }
}
