package ai.luciferai.llama.core;

import java.lang.System.Logger.Level;
import java.util.Map;

/**
 * Listener to the progress of a long operation.
 *
 * <p><i>Threads</i>: called by the thread that does the work or by a poller beside it, never by two at once. <i>Errors</i>: operations wrap
 * the listener they are given in {@link #guarded}, so a listener that throws is logged, dropped, and never felt by the work.
 */
@FunctionalInterface
public interface Progress {

    /** Hears nothing. */
    Progress NONE = event -> {};

    /** Tells how far the operation is. */
    void update(Event event);

    /**
     * One report.
     *
     * @param phase   what is being done: "load", "prompt", "tensors" (required)
     * @param done    units done, 0 or more
     * @param total   units in all, or -1 when not known
     * @param unit    name of the unit: "bytes", "tokens", "tensors" (required, may be empty)
     * @param metrics further numbers by name, such as "loss" (required, may be empty; kept as given, unmodifiable)
     */
    record Event(String phase, long done, long total, String unit, Map<String, Double> metrics) {

        /** Takes an own copy of the metrics. */
        public Event {
            metrics = Map.copyOf(metrics);
        }

        /** Without metrics. */
        public Event(String phase, long done, long total, String unit) {
            this(phase, done, total, unit, Map.of());
        }

        /** Share done from 0 to 1, or NaN when the total is not known. */
        public double fraction() {
            return total > 0 ? Math.clamp((double) done / total, 0.0, 1.0) : Double.NaN;
        }
    }

    /** The same listener, which is logged once and then dropped when it throws. Null becomes {@link #NONE}. */
    static Progress guarded(Progress listener) {
        if (listener == null || listener == NONE) {
            return NONE;
        }
        return listener instanceof Guarded ? listener : new Guarded(listener);
    }

    /** See {@link Progress#guarded}. */
    final class Guarded implements Progress {

        private volatile Progress listener;

        private Guarded(Progress listener) {
            this.listener = listener;
        }

        @Override
        public void update(Event event) {
            try {
                listener.update(event);
            } catch (RuntimeException | LinkageError | AssertionError fault) {
                listener = NONE;
                System.getLogger(Progress.class.getName())
                        .log(Level.WARNING, "progress listener failed and is not called again", fault);
            }
        }
    }
}
