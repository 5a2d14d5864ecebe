package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Calls that compute, so that they can be ended before the process exits: {@code exit()} runs the destructors of ggml's static
 * objects, and a thread that still computes with them ends the process with a crash instead of its exit code.
 *
 * <p>When the VM shuts down, every running call is cancelled and waited for, and no new one begins.
 */
final class Computing {

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final Map<Thread, Cancel> RUNNING = new ConcurrentHashMap<>();
    /** What calls are given that their caller does not want to cancel. */
    private static final Cancel EXIT = new Cancel();

    private static volatile boolean exiting;

    static {
        try {
            Runtime.getRuntime().addShutdownHook(new Thread(Computing::stop, "lucifer-llama shutdown"));
        } catch (IllegalStateException alreadyShuttingDown) {
            exiting = true;
        }
    }

    private Computing() {}

    /**
     * Notes that the calling thread begins such a call, which {@link #end} must follow.
     *
     * @return the flag that the call is to poll
     * @throws CancelledException when the VM is shutting down
     */
    static Cancel begin(Cancel cancel) {
        Cancel polled = cancel == Cancel.NONE ? EXIT : cancel;
        RUNNING.put(Thread.currentThread(), polled);
        if (exiting) {
            end();
            throw new CancelledException("work that began while the process was ending");
        }
        return polled;
    }

    /** The call has returned. */
    static void end() {
        RUNNING.remove(Thread.currentThread());
    }

    private static void stop() {
        exiting = true;
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!RUNNING.isEmpty() && System.nanoTime() < deadline) {
            RUNNING.values().forEach(Cancel::request);
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                return;
            }
        }
    }
}
