package ai.luciferai.llama.report;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.LongStream;

/** Values from {@code low} to {@code high} between two pixels. */
record Axis(double low, double high, boolean log, boolean whole, double from, double to) {

    /** Part of the range that stays free at the ends of an axis. */
    private static final double AIR = 0.08;
    /** No axis goes further, so that neither differences nor ratios of values on it are infinite. */
    private static final double FAR = 1e150;
    /** What is nearer to zero is zero: between such values doubles lose their digits. */
    private static final double NEAR = 1e-150;
    /** Values that differ by less, as a part of them, are shown as equal: a double has no round numbers between them. */
    private static final double EQUAL = 1e-9;
    /** Below this ratio of its ends, an axis of logarithms looks nearly even, and bears even ticks. */
    private static final double NEARLY_EVEN = 6;
    /** Pixels between two ticks of an axis of logarithms. */
    private static final double CLOSEST = 18;

    /** A round number on an axis. */
    record Tick(double value, String text) {

        static Tick of(BigDecimal value) {
            return new Tick(value.doubleValue(), Numbers.tick(value));
        }
    }

    /** For these values as far as they are finite; never beyond what is possible. */
    static Axis of(Measure measure, Collection<Double> values, double from, double to) {
        double[] finite = values.stream().mapToDouble(Double::doubleValue).filter(Double::isFinite)
                .map(v -> Math.abs(v) < NEAR ? 0 : v).toArray();
        return measure.scale() == Measure.Scale.LOG ? log(finite, from, to) : even(measure, finite, from, to);
    }

    private static Axis even(Measure measure, double[] values, double from, double to) {
        double least = Math.max(measure.least(), -FAR);
        double most = Math.min(measure.most(), FAR);
        double low = Math.clamp(DoubleStream.of(values).min().orElse(least), least, most);
        double high = Math.clamp(DoubleStream.of(values).max().orElse(low), least, most);
        if (measure.scale() == Measure.Scale.COUNT) {
            return new Axis(0, Math.max(1, high), false, true, from, to);
        }
        if (measure.scale() == Measure.Scale.FROM_ZERO) {
            low = Math.min(0, low);
        }
        double air = AIR * (high - low > EQUAL * Math.abs(high) ? high - low : high == 0 ? 1 : Math.abs(high));
        return new Axis(low == 0 ? 0 : Math.max(least, low - air), Math.min(most, high + air), false, false, from, to);
    }

    private static Axis log(double[] values, double from, double to) {
        double low = Math.clamp(DoubleStream.of(values).filter(v -> v > 0).min().orElse(1), NEAR, FAR);
        double high = Math.clamp(DoubleStream.of(values).max().orElse(low), low, FAR);
        double air = Math.exp(AIR * (high > low * (1 + EQUAL) ? Math.log(high) - Math.log(low) : 1));
        return new Axis(low / air, high * air, true, false, from, to);
    }

    /** The pixel of a value; what lies beyond an end is shown at that end. */
    double at(double value) {
        double v = Math.clamp(value, low, high);
        double part = log ? (Math.log(v) - Math.log(low)) / (Math.log(high) - Math.log(low)) : (v - low) / (high - low);
        return from + part * (to - from);
    }

    /** Round numbers, about {@code count} of them. */
    List<Tick> ticks(int count) {
        if (!log || high / low < NEARLY_EVEN) {
            return evenTicks(count);
        }
        double decade = Math.abs(to - from) / (Math.log10(high) - Math.log10(low));
        return decade * Math.log10(2) >= CLOSEST ? decades(new int[] {1, 2, 5}, 1) : decades(new int[] {1}, (int) Math.ceil(CLOSEST / decade));
    }

    /** The mantissas in each, or every so many, powers of ten. */
    private List<Tick> decades(int[] mantissas, int every) {
        var ticks = new ArrayList<Tick>();
        for (int exponent = (int) Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent++) {
            for (int mantissa : Math.floorMod(exponent, every) == 0 ? mantissas : new int[0]) {
                Tick tick = Tick.of(BigDecimal.valueOf(mantissa, -exponent));
                if (tick.value() >= low && tick.value() <= high) {
                    ticks.add(tick);
                }
            }
        }
        return ticks;
    }

    /** Multiples of 1, 2 or 5 times a power of ten: as decimal numbers, since 3 * 0.1 is none as a double. */
    private List<Tick> evenTicks(int count) {
        double rough = (high - low) / count;
        int exponent = (int) Math.floor(Math.log10(rough));
        double part = rough / Math.pow(10, exponent);
        int mantissa = part <= 1 ? 1 : part <= 2 ? 2 : part <= 5 ? 5 : 1;
        exponent += part > 5 ? 1 : 0;
        if (whole && exponent < 0) {
            exponent = 0;
            mantissa = 1;
        }
        BigDecimal step = BigDecimal.valueOf(mantissa, -exponent);
        long first = (long) Math.ceil(low / step.doubleValue());
        long last = (long) Math.floor(high / step.doubleValue());
        return LongStream.rangeClosed(first, last).mapToObj(i -> Tick.of(step.multiply(BigDecimal.valueOf(i))))
                .filter(tick -> tick.value() >= low && tick.value() <= high).toList();
    }
}
