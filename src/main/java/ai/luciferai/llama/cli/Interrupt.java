package ai.luciferai.llama.cli;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Signals that end the process. Ctrl-C: the first asks the work to stop and lets it end tidily, however long that takes, the second ends
 * the process at once. SIGTERM and SIGHUP, which come from a program or a terminal that is gone: the same request, and five seconds for it.
 *
 * <p>Each makes the JVM run its shutdown hooks and then leave with 128 and the signal's number, so a hook that waits for the work is all
 * it takes. A signal handler of our own would need a proxy class at every start.
 */
final class Interrupt {

    private static final long SECONDS_TO_END = 5;
    private static final long POLL_MILLISECONDS = 100;

    /** The JVM's threads that handle a signal, and wait for the hooks: what tells a hook which signal it was. */
    private static final Map<String, Integer> URGENT = Map.of("SIGTERM handler", 128 + 15, "SIGHUP handler", 128 + 1);

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
            awaitWork(environment);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitWork(Environment environment) throws InterruptedException {
        Integer code = null;
        while (code == null) {
            if (workEnded.await(POLL_MILLISECONDS, TimeUnit.MILLISECONDS)) {
                return;
            }
            code = Isolation.watched() ? null : urgent(); // a process that watches passes Ctrl-C on as SIGTERM
        }
        if (!workEnded.await(SECONDS_TO_END, TimeUnit.SECONDS)) {
            environment.abandon();
            Runtime.getRuntime().halt(code);
        }
    }

    /** The exit code of an urgent signal that has come, or null. */
    private static Integer urgent() {
        return Thread.getAllStackTraces().keySet().stream().map(thread -> URGENT.get(thread.getName())).filter(Objects::nonNull).findAny()
                .orElse(null);
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
