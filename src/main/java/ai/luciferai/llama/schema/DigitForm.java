package ai.luciferai.llama.schema;

import static ai.luciferai.llama.schema.Gbnf.literal;
import static ai.luciferai.llama.schema.Gbnf.sequence;

import ai.luciferai.llama.schema.Gbnf.Rule;
import ai.luciferai.llama.schema.Gbnf.Text;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whole numbers from one to another that have a divisor, with a point before their last digits. */
final class DigitForm {

    private static final int MOST_LISTED = 100;
    private static final int MOST_STATES = 6000;

    private final Rules rules;

    DigitForm(Rules rules) {
        this.rules = rules;
    }

    /** Digits so far: what they leave when divided, and whether they are still those of the first or the last number. */
    private record State(int position, BigInteger remainder, boolean first, boolean last) {}

    /** Numbers of one length. */
    private record Span(String from, String to, BigInteger unit, int places, Map<State, Gbnf> known) {}

    Gbnf range(BigInteger from, BigInteger to) {
        try {
            return multiples(from, to, BigInteger.ONE, 0);
        } catch (Nfa.TooLarge e) {
            throw new IllegalStateException("a range has few states", e);
        }
    }

    /** @param places digits after the point: all is counted in units of the last of them */
    Gbnf multiples(BigInteger from, BigInteger to, BigInteger unit, int places) throws Nfa.TooLarge {
        List<Gbnf> options = new ArrayList<>();
        if (from.compareTo(to) > 0) {
            return Gbnf.NEVER;
        }
        BigInteger least = ceiling(from, unit);
        BigInteger count = to.subtract(least).signum() < 0 ? BigInteger.ZERO : to.subtract(least).divide(unit).add(BigInteger.ONE);
        if (count.compareTo(BigInteger.valueOf(MOST_LISTED)) <= 0 && (!unit.equals(BigInteger.ONE) || count.intValue() < 12)) {
            for (int i = 0; i < count.intValue(); i++) {
                options.add(literal(written(least.add(unit.multiply(BigInteger.valueOf(i))), places)));
            }
            return new Gbnf.Choice(options);
        }
        if (from.signum() < 0) {
            BigInteger nearest = to.signum() < 0 ? to.negate() : BigInteger.ONE; // no -0
            List<Gbnf> magnitudes = new ArrayList<>();
            positive(nearest, from.negate(), unit, places, magnitudes);
            options.add(sequence(literal("-"), new Gbnf.Choice(magnitudes)));
        }
        if (to.signum() >= 0) {
            if (from.signum() <= 0) {
                options.add(literal(written(BigInteger.ZERO, places)));
            }
            positive(from.max(BigInteger.ONE), to, unit, places, options);
        }
        return new Gbnf.Choice(options);
    }

    private static BigInteger ceiling(BigInteger from, BigInteger unit) {
        BigInteger rest = from.mod(unit);
        return rest.signum() == 0 ? from : from.add(unit.subtract(rest));
    }

    private static String written(BigInteger number, int places) {
        String digits = number.abs().toString();
        String padded = "0".repeat(Math.max(0, places + 1 - digits.length())) + digits;
        int point = padded.length() - places;
        return (number.signum() < 0 ? "-" : "") + padded.substring(0, point) + (places == 0 ? "" : "." + padded.substring(point));
    }

    /** Zeros at the divisor's end are zeros at the end of each number; the rest is told apart by remainders. */
    private void positive(BigInteger from, BigInteger to, BigInteger unit, int places, List<Gbnf> options) throws Nfa.TooLarge {
        int zeros = 0;
        BigInteger small = unit;
        while (small.mod(BigInteger.TEN).signum() == 0) {
            small = small.divide(BigInteger.TEN);
            zeros++;
        }
        BigInteger power = BigInteger.TEN.pow(zeros);
        BigInteger first = ceiling(from, power).divide(power);
        BigInteger last = to.divide(power);
        int shortest = Math.max(places - zeros + 1, 1); // places exceed zeros, or there are none
        for (int width = Math.max(shortest, first.toString().length()); width <= Math.max(shortest, last.toString().length()); width++) {
            BigInteger least = width == shortest ? BigInteger.ZERO : BigInteger.TEN.pow(width - 1);
            BigInteger most = BigInteger.TEN.pow(width).subtract(BigInteger.ONE);
            least = least.max(first);
            most = most.min(last);
            if (least.compareTo(most) <= 0) {
                Span span = new Span(padded(least, width), padded(most, width), small, Math.max(0, places - zeros), new HashMap<>());
                Gbnf number = rest(span, new State(0, BigInteger.ZERO, true, true));
                options.add(zeros == 0 ? number : sequence(number, literal("0".repeat(zeros))));
            }
        }
    }

    private static String padded(BigInteger number, int width) {
        String text = number.toString();
        return "0".repeat(width - text.length()) + text;
    }

    private Gbnf rest(Span span, State state) throws Nfa.TooLarge {
        int left = span.from().length() - state.position();
        if (left == 0) {
            return state.remainder().signum() == 0 ? Gbnf.EMPTY : Gbnf.NEVER;
        }
        if (span.unit().equals(BigInteger.ONE) && !state.first() && !state.last()) {
            return new Text(free(left, span.places()));
        }
        Gbnf known = span.known().get(state);
        if (known == null) {
            if (span.known().size() > MOST_STATES) {
                throw new Nfa.TooLarge();
            }
            Rule rule = rules.reserve();
            span.known().put(state, rule);
            rules.define(rule, digit(span, state, left));
            known = rule;
        }
        return known;
    }

    private Gbnf digit(Span span, State state, int left) throws Nfa.TooLarge {
        int at = state.position();
        int from = state.first() ? span.from().charAt(at) - '0' : 0;
        int to = state.last() ? span.to().charAt(at) - '0' : 9;
        Map<State, StringBuilder> next = new LinkedHashMap<>();
        for (int d = from; d <= to; d++) {
            BigInteger remainder = state.remainder().multiply(BigInteger.TEN).add(BigInteger.valueOf(d)).mod(span.unit());
            next.computeIfAbsent(new State(at + 1, remainder, state.first() && d == from, state.last() && d == to),
                    s -> new StringBuilder()).append(d);
        }
        List<Gbnf> options = new ArrayList<>();
        for (var one : next.entrySet()) {
            Text digit = new Text((left == span.places() ? "\".\" " : "") + "[" + one.getValue() + "]");
            options.add(sequence(digit, rest(span, one.getKey())));
        }
        return new Gbnf.Choice(options);
    }

    private static String free(int left, int places) {
        int before = left - places;
        if (places == 0 || before < 0) {
            return "[0-9]{" + left + "}";
        }
        return (before == 0 ? "" : "[0-9]{" + before + "} ") + "\".\" [0-9]{" + places + "}";
    }
}
