package ai.luciferai.llama.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Numbers as text, the same in every language. */
final class Numbers {

    private static final double SMALL = 1e-4;
    private static final double LARGE = 1e7;
    private static final MathContext DIGITS = new MathContext(5);
    private static final MathContext ERROR_DIGITS = new MathContext(2);

    private Numbers() {}

    /** A measured value in five digits. */
    static String text(double value) {
        if (Double.isNaN(value)) {
            return "not a number";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "infinite" : "-infinite";
        }
        return tick(new BigDecimal(value, DIGITS).stripTrailingZeros());
    }

    /** A value with its error, where there is one. */
    static String text(double value, double error) {
        return error > 0 && Double.isFinite(error) ? text(value) + " ± " + text(new BigDecimal(error, ERROR_DIGITS).doubleValue()) : text(value);
    }

    /** A round number: its own digits where they are few, else as 2e-5. */
    static String tick(BigDecimal value) {
        double size = Math.abs(value.doubleValue());
        if (size == 0) {
            return "0";
        }
        if (size >= SMALL && size < LARGE) {
            return value.scale() < 0 ? value.setScale(0).toPlainString() : value.toPlainString();
        }
        BigDecimal plain = value.stripTrailingZeros();
        int exponent = plain.precision() - plain.scale() - 1;
        return plain.scaleByPowerOfTen(-exponent).toPlainString() + "e" + exponent;
    }

    /** A place on a drawing. */
    static String pixel(double value) {
        String text = String.format(Locale.ROOT, "%.1f", value);
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }
}
