package ai.luciferai.llama.schema;

import static ai.luciferai.llama.schema.Gbnf.EMPTY;
import static ai.luciferai.llama.schema.Gbnf.NEVER;
import static ai.luciferai.llama.schema.Gbnf.choice;
import static ai.luciferai.llama.schema.Gbnf.literal;
import static ai.luciferai.llama.schema.Gbnf.sequence;

import ai.luciferai.llama.schema.Gbnf.Text;
import ai.luciferai.llama.schema.Shape.Bound;
import ai.luciferai.llama.schema.Shape.Numbers;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/** Numbers between bounds, and multiples, digit by digit. */
final class NumberForm {

    /** An open end reaches to so many digits: every double holds them exactly. */
    private static final BigInteger OPEN = BigInteger.TEN.pow(15).subtract(BigInteger.ONE);
    private static final Gbnf DIGITS = new Text("[0-9]{0,15}");
    /** What follows the digits of a bound that must be passed. */
    private static final Gbnf NOT_ZERO = sequence(new Text("[0]{0,8} [1-9] [0-9]{0,7}"));
    private static final Gbnf POINT = literal(".");
    private static final Gbnf ANY_FRACTION = new Text("(\".\" [0-9]{1,16})?");

    private final DigitForm digits;

    NumberForm(Rules rules) {
        digits = new DigitForm(rules);
    }

    Gbnf of(Numbers n) {
        if (n.integer() || n.step() != null) {
            BigDecimal step = n.step() == null ? BigDecimal.ONE : n.step();
            boolean free = n.step() == null && n.low().value() == null && n.high().value() == null;
            return free ? Rules.INTEGER : multiples(n, n.integer() ? Meet.commonMultiple(BigDecimal.ONE, step) : step);
        }
        if (n.low().value() == null && n.high().value() == null) {
            return Rules.NUMBER;
        }
        Bound zero = new Bound(BigDecimal.ZERO, true);
        List<Gbnf> options = new ArrayList<>();
        if (n.low().value() == null || n.low().value().signum() < 0) { // -0 is left out
            Bound near = n.high().value() != null && n.high().value().signum() < 0 ? mirrored(n.high()) : zero;
            options.add(sequence(literal("-"), between(near, mirrored(n.low()))));
        }
        if (n.high().value() == null || n.high().value().signum() >= 0) {
            boolean positive = n.low().value() != null && n.low().value().signum() >= 0;
            options.add(between(positive ? n.low() : new Bound(BigDecimal.ZERO, false), n.high()));
        }
        return new Gbnf.Choice(options);
    }

    private static Bound mirrored(Bound b) {
        return b.value() == null ? b : new Bound(b.value().negate(), b.open());
    }

    /** An end that is open reaches far beyond the other one. */
    private static BigInteger far(BigInteger... from) {
        BigInteger most = OPEN;
        for (BigInteger f : from) {
            most = most.max(f.abs().multiply(BigInteger.valueOf(100)));
        }
        return most;
    }

    private Gbnf multiples(Numbers n, BigDecimal step) {
        int places = Math.max(0, step.stripTrailingZeros().scale());
        BigInteger unit = step.movePointRight(places).toBigIntegerExact();
        BigInteger low = n.low().value() == null ? null : whole(n.low(), places, RoundingMode.CEILING);
        BigInteger high = n.high().value() == null ? null : whole(n.high(), places, RoundingMode.FLOOR);
        BigInteger scale = BigInteger.TEN.pow(places);
        BigInteger far = far(low == null ? scale : low, high == null ? scale : high, unit).max(OPEN.multiply(scale));
        try {
            return digits.multiples(low == null ? far.negate() : low, high == null ? far : high, unit, places);
        } catch (Nfa.TooLarge e) {
            throw new Refused(n.stepAt(), "there are too many remainders to tell apart", true);
        }
    }

    private static BigInteger whole(Bound bound, int places, RoundingMode inwards) {
        BigDecimal moved = bound.value().movePointRight(places);
        BigInteger whole = moved.setScale(0, inwards).toBigInteger();
        if (bound.open() && new BigDecimal(whole).compareTo(moved) == 0) {
            return inwards == RoundingMode.CEILING ? whole.add(BigInteger.ONE) : whole.subtract(BigInteger.ONE);
        }
        return whole;
    }

    /** Numbers that are not negative, with fractions. @param high its value may be null */
    private Gbnf between(Bound low, Bound high) {
        BigInteger first = low.value().toBigInteger();
        BigInteger last = high.value() == null ? far(first) : high.value().toBigInteger();
        String from = fraction(low.value());
        String to = high.value() == null ? "" : fraction(high.value());
        if (first.equals(last)) {
            return sequence(literal(first.toString()), between(from, to, low.open(), high.open(), false));
        }
        if (first.compareTo(last) > 0) {
            return NEVER;
        }
        List<Gbnf> options = new ArrayList<>();
        options.add(sequence(literal(first.toString()), atLeast(from, low.open())));
        BigInteger second = first.add(BigInteger.ONE);
        BigInteger beforeLast = high.value() == null ? last : last.subtract(BigInteger.ONE);
        if (second.compareTo(beforeLast) <= 0) {
            options.add(sequence(digits.range(second, beforeLast), ANY_FRACTION));
        }
        if (high.value() != null) {
            options.add(sequence(literal(last.toString()), atMost(to, high.open())));
        }
        return new Gbnf.Choice(options);
    }

    /** The digits after the point, without zeros at the end. */
    private static String fraction(BigDecimal value) {
        String text = value.stripTrailingZeros().toPlainString();
        int point = text.indexOf('.');
        return point < 0 ? "" : text.substring(point + 1);
    }

    private static Gbnf atLeast(String from, boolean open) {
        return from.isEmpty() ? open ? sequence(POINT, NOT_ZERO) : ANY_FRACTION : sequence(POINT, above(from, open));
    }

    private static Gbnf above(String from, boolean open) {
        if (from.isEmpty()) {
            return open ? NOT_ZERO : DIGITS;
        }
        char c = from.charAt(0);
        Gbnf equal = sequence(digit(c, c), above(from.substring(1), open));
        return c == '9' ? equal : choice(sequence(digit((char) (c + 1), '9'), DIGITS), equal);
    }

    private static Gbnf atMost(String to, boolean open) {
        return to.isEmpty() ? open ? NEVER : EMPTY : choice(EMPTY, sequence(POINT, below(to, open)));
    }

    private static Gbnf below(String to, boolean open) {
        if (to.isEmpty()) {
            return open ? NEVER : EMPTY;
        }
        char c = to.charAt(0);
        String rest = to.substring(1);
        Gbnf equal = sequence(digit(c, c), rest.isEmpty() ? below(rest, open) : choice(EMPTY, below(rest, open)));
        return c == '0' ? equal : choice(sequence(digit('0', (char) (c - 1)), DIGITS), equal);
    }

    /** Fractions of the same whole number. @param begun whether the point is written */
    private static Gbnf between(String from, String to, boolean openFrom, boolean openTo, boolean begun) {
        List<Gbnf> options = new ArrayList<>();
        boolean mayEnd = from.isEmpty() && !openFrom && !(to.isEmpty() && openTo);
        if (mayEnd) {
            options.add(EMPTY);
        }
        if (to.isEmpty()) {
            return new Gbnf.Choice(options); // from is empty too, or nothing lies between
        }
        char a = from.isEmpty() ? '0' : from.charAt(0);
        char b = to.charAt(0);
        String restFrom = from.isEmpty() ? "" : from.substring(1);
        String restTo = to.substring(1);
        List<Gbnf> next = new ArrayList<>();
        if (a == b) {
            next.add(sequence(digit(a, a), between(restFrom, restTo, openFrom, openTo, true)));
        } else if (a < b) {
            next.add(sequence(digit(a, a), above(restFrom, openFrom)));
            if (b - a > 1) {
                next.add(sequence(digit((char) (a + 1), (char) (b - 1)), DIGITS));
            }
            next.add(sequence(digit(b, b), restTo.isEmpty() ? below(restTo, openTo) : choice(EMPTY, below(restTo, openTo))));
        }
        options.add(begun ? new Gbnf.Choice(next) : sequence(POINT, new Gbnf.Choice(next)));
        return new Gbnf.Choice(options);
    }

    private static Gbnf digit(char from, char to) {
        return new Text(from == to ? "[" + from + "]" : "[" + from + "-" + to + "]");
    }
}
