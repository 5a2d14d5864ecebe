package ai.luciferai.llama.cli;

import java.util.concurrent.CountDownLatch;

/**
 * Ctrl-C: the first asks the work to stop and lets it end tidily, the second ends the process at once.
 *
 * <p>SIGINT makes the JVM run its shutdown hooks and then leave with 130, so a hook that waits for the work is all it takes. A
 * signal handler of our own would need a proxy class at every start, and would not see SIGTERM, which this serves as well
 * (exit code 143).
 */
final class Interrupt {

    private final CountDownLatch workEnded = new CountDownLatch(1);

    private Interrupt() {}

    /** From now on a signal requests the environment's cancel. */
    static Interrupt watch(Environment environment) {
        var interrupt = new Interrupt();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupt.stop(environment), "interrupt"));
        return interrupt;
    }

    /** The work has ended and cleaned up: the process may go. */
    void ended() {
        workEnded.countDown();
    }

    private void stop(Environment environment) {
        if (workEnded.getCount() == 0 || environment.waiting()) {
            return;
        }
        environment.cancel().request();
        nextOneKills();
        try {
            workEnded.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** While hooks run, the JVM ignores further signals; the system's own handling does not. */
    private static void nextOneKills() {
        try {
            // By reflection, because javac has no way to silence its warning about this only API for signals.
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("INT"), handler.getField("SIG_DFL").get(null));
        } catch (ReflectiveOperationException | RuntimeException e) {
            // Then only SIGKILL ends it at once; the first request stands.
        }
    }
}
