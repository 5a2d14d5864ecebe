package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.Progress;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress on stderr: on a terminal one line that is redrawn, elsewhere a line now and then. What is over in half a second is
 * not shown at all.
 */
final class ProgressLine implements Progress, AutoCloseable {

    private static final long QUIET_NANOS = 500_000_000L;
    private static final long REDRAW_NANOS = 100_000_000L;
    private static final long PLAIN_NANOS = 5_000_000_000L;

    private final PrintStream err;
    private final boolean terminal;
    private final LongSupplier clock;
    private String phase;
    private long started;
    private long startedAt;
    private long shownAt;
    private boolean shown;
    private static volatile boolean drawn;

    /**
     * @param err      null: says nothing
     * @param terminal whether a line can be redrawn
     * @param clock    nanoseconds
     */
    ProgressLine(PrintStream err, boolean terminal, LongSupplier clock) {
        this.err = err;
        this.terminal = terminal;
        this.clock = clock;
    }

    /** Whether a line stands on a terminal, which something else that is printed has to take away. */
    static boolean onTerminal() {
        return drawn;
    }

    @Override
    public synchronized void update(Event event) {
        if (err == null) {
            return;
        }
        long now = clock.getAsLong();
        if (!event.phase().equals(phase)) {
            close();
            phase = event.phase();
            started = event.done();
            startedAt = now;
            shownAt = now - PLAIN_NANOS;
        }
        boolean done = event.done() == event.total();
        long pause = terminal ? REDRAW_NANOS : PLAIN_NANOS;
        if (now - startedAt < QUIET_NANOS || now - shownAt < pause && !(done && shown)) {
            return;
        }
        shownAt = now;
        shown = true;
        String line = text(event, (now - startedAt) / 1e9);
        if (terminal) {
            err.print("\r" + line + "\033[K");
            err.flush();
            drawn = true;
        } else {
            err.println(line);
        }
    }

    /** Takes the line off the terminal. */
    @Override
    public synchronized void close() {
        if (shown && terminal) {
            err.print("\r\033[K");
            err.flush();
            drawn = false;
        }
        shown = false;
        phase = null;
    }

    private String text(Event event, double seconds) {
        var line = new StringBuilder(event.phase());
        double fraction = event.fraction();
        if (!Double.isNaN(fraction)) {
            line.append(String.format(Locale.ROOT, " %3d%%", (int) (fraction * 100)));
        }
        boolean counted = !event.unit().isEmpty() && !event.unit().equals("thousandths");
        if (counted) {
            line.append("  ").append(amount(event.done(), event.unit()));
            line.append(event.total() < 0 ? "" : " of " + amount(event.total(), event.unit())).append(' ').append(suffix(event.unit()));
        }
        double rate = (event.done() - started) / seconds;
        if (counted && rate > 0) {
            line.append("  ").append(rate(rate, event.unit())).append(' ').append(suffix(event.unit())).append("/s");
        }
        event.metrics().forEach((name, value) -> line.append("  ").append(name).append(' ').append(value == Math.rint(value)
                ? Long.toString(value.longValue()) : String.format(Locale.ROOT, "%.4g", value)));
        if (rate > 0 && event.total() > event.done()) {
            line.append("  ETA ").append(duration((long) Math.ceil((event.total() - event.done()) / rate)));
        }
        return line.toString();
    }

    private static String amount(long count, String unit) {
        return unit.equals("bytes") ? String.format(Locale.ROOT, "%.1f", count / 1e6) : Long.toString(count);
    }

    private static String rate(double rate, String unit) {
        return rate < 10 && !unit.equals("bytes") ? String.format(Locale.ROOT, "%.1f", rate) : amount((long) rate, unit);
    }

    private static String suffix(String unit) {
        return unit.equals("bytes") ? "MB" : unit;
    }

    static String duration(long seconds) {
        return seconds >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60)
                : String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
    }
}
