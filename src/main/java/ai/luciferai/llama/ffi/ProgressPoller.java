package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.Progress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * Tells a {@link Progress} about one long native call, which writes 64-bit cells while it works: a thread of its own reads them, and
 * the log, ten times a second. Nothing at all for {@link Progress#NONE}.
 *
 * <p><i>Ownership</i>: the cells live until {@link #close}, which comes after the call and reports the last state.
 */
final class ProgressPoller implements AutoCloseable {

    private static final long PERIOD_MILLIS = 100;

    private final Progress progress;
    private final Function<long[], Progress.Event> reading;
    private final int nCells;
    private final Arena arena;
    private final MemorySegment cells;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Thread thread;
    private Progress.Event reported;

    /**
     * Begins to watch.
     *
     * @param nCells  how many cells the call writes
     * @param reading what their values mean
     */
    ProgressPoller(Progress progress, int nCells, Function<long[], Progress.Event> reading) {
        this.progress = Progress.guarded(progress);
        this.reading = reading;
        this.nCells = nCells;
        boolean heard = this.progress != Progress.NONE;
        this.arena = heard ? Arena.ofShared() : null;
        this.cells = heard ? arena.allocate(ValueLayout.JAVA_LONG, nCells) : MemorySegment.NULL;
        this.thread = heard ? Thread.ofPlatform().daemon().name("lucifer-llama progress").start(this::poll) : null;
    }

    /** What goes to C: an array of {@code int64_t}, or the null pointer when nobody listens. */
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
        var values = new long[nCells];
        VarHandle.acquireFence(); // C writes them while it works
        for (int i = 0; i < nCells; i++) {
            values[i] = cells.getAtIndex(ValueLayout.JAVA_LONG, i);
        }
        Progress.Event event = reading.apply(values);
        // A total of zero: the call has not begun to count.
        if (event.total() > 0 && (reported == null || event.done() != reported.done() || !event.phase().equals(reported.phase()))) {
            reported = event;
            progress.update(event);
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
