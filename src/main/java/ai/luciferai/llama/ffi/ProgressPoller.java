package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.Progress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Tells a {@link Progress} about one long native call, which writes two 64-bit cells, done and total: a thread of its own reads
 * them, and the log, ten times a second. Nothing at all for {@link Progress#NONE}.
 *
 * <p><i>Ownership</i>: the cells live until {@link #close}, which comes after the call and reports the last state.
 */
final class ProgressPoller implements AutoCloseable {

    private static final VarHandle CELL = ValueLayout.JAVA_LONG.arrayElementVarHandle();
    private static final long PERIOD_MILLIS = 100;

    private final String phase;
    private final String unit;
    private final Progress progress;
    private final Arena arena;
    private final MemorySegment cells;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread thread;
    private long reported = -1;

    ProgressPoller(String phase, String unit, Progress progress) {
        this.phase = phase;
        this.unit = unit;
        this.progress = Progress.guarded(progress);
        boolean heard = this.progress != Progress.NONE;
        this.arena = heard ? Arena.ofShared() : null;
        this.cells = heard ? arena.allocate(ValueLayout.JAVA_LONG, 2) : MemorySegment.NULL;
        this.thread = heard ? Thread.ofPlatform().daemon().name("lucifer-llama progress").start(this::poll) : null;
    }

    /** What goes to C: {@code int64_t[2]}, or the null pointer when nobody listens. */
    MemorySegment cells() {
        return cells;
    }

    private void poll() {
        try {
            while (!over.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS)) {
                report();
                NativeLog.drain();
            }
        } catch (InterruptedException e) {
            // somebody wants this thread to end: the last report still comes from close()
        }
    }

    private void report() {
        long done = (long) CELL.getVolatile(cells, 0L, 0L);
        long total = (long) CELL.getVolatile(cells, 0L, 1L);
        if (total > 0 && done != reported) {
            reported = done;
            progress.update(new Progress.Event(phase, done, total, unit));
        }
    }

    @Override
    public void close() {
        if (thread == null) {
            return;
        }
        over.countDown();
        awaitThread();
        report();
        arena.close();
    }

    /** Not the other way round: interrupting the thread could hit the listener in the middle of its own I/O. */
    private void awaitThread() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
