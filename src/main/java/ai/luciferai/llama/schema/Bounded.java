package ai.luciferai.llama.schema;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Limits;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Translates on a thread of its own: with a stack for the thousands of properties that a translation recurses over, and ended when it
 * takes too long or is cancelled. Whatever may go on for long calls {@link #check}.
 */
final class Bounded {

    private static final long STACK_BYTES = 512L << 20; // address space: a grammar has no more rules than fit
    private static final long POLL_MILLIS = 20;

    /** Nobody waits any more. */
    private static final class Abandoned extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private Bounded() {}

    /** Ends this thread's translation when nobody waits for it any more. */
    static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw new Abandoned();
        }
    }

    static <T> T call(Supplier<T> translation, Cancel cancel) {
        var task = new FutureTask<T>(translation::get);
        var thread = new Thread(null, task, "lucifer-llama schema", STACK_BYTES);
        thread.setDaemon(true);
        thread.start();
        try {
            return await(task, thread, cancel);
        } catch (ExecutionException e) {
            throw failure(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancelledException("the translation of a JSON schema");
        } finally {
            thread.interrupt();
        }
    }

    private static <T> T await(FutureTask<T> task, Thread thread, Cancel cancel) throws ExecutionException, InterruptedException {
        Limits limits = Limits.current();
        long begin = System.nanoTime();
        while (true) {
            try {
                return task.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException notYet) {
                cancel.check("the translation of a JSON schema");
                if (System.nanoTime() - begin > limits.nanos() && processorNanos(thread) > limits.nanos()) {
                    throw tooMuch("it takes more than " + limits.seconds() + " s of processor time to translate",
                            "-D" + Limits.SECONDS + "=N allows more");
                }
            }
        }
    }

    /** What is allowed does not depend on what else the machine does. */
    private static long processorNanos(Thread thread) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        return threads.isThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled() ? threads.getThreadCpuTime(thread.threadId())
                : Long.MAX_VALUE;
    }

    private static RuntimeException failure(Throwable cause) {
        return switch (cause) {
            case RuntimeException e -> e;
            case OutOfMemoryError e -> tooMuch("its translation needs more memory than Java may take", "give java more: -Xmx");
            case StackOverflowError e -> tooMuch("it is nested too deeply", null);
            default -> throw new IllegalStateException(cause);
        };
    }

    private static InvalidOptionException tooMuch(String what, String hint) {
        return new InvalidOptionException(JsonSchema.OPTION, "a JSON schema", "#: " + what, hint);
    }
}
