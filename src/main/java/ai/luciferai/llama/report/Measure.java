package ai.luciferai.llama.report;

/**
 * What the numbers on an axis are.
 *
 * @param name  "perplexity"
 * @param unit  "MiB"; empty: a mere number
 * @param least smallest value there can be: no axis goes below it
 * @param most  largest value there can be
 * @param scale how the values are spread
 */
public record Measure(String name, String unit, double least, double most, Scale scale) {

    /** Spreads values over an axis. */
    public enum Scale {
        /** Evenly, with some air around the values. */
        EVEN,
        /** Evenly, from zero. */
        FROM_ZERO,
        /** Evenly, from zero to the last value, whole numbers only. */
        COUNT,
        /** By their logarithms; what is not above zero stands at the lower end. */
        LOG
    }

    /** A number from {@code least} on. */
    public static Measure from(double least, String name, String unit) {
        return new Measure(name, unit, least, Double.POSITIVE_INFINITY, Scale.EVEN);
    }

    /** A part of a whole, in %. */
    public static Measure share(String name) {
        return new Measure(name, "%", 0, 100, Scale.EVEN);
    }

    /** A count of things. */
    public static Measure count(String name) {
        return new Measure(name, "", 0, Double.POSITIVE_INFINITY, Scale.COUNT);
    }

    public Measure withScale(Scale v) {
        return new Measure(name, unit, least, most, v);
    }

    /** Name and unit. */
    String label() {
        return unit.isEmpty() ? name : name + ", " + unit;
    }
}
