package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Bound;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Contains;
import ai.luciferai.llama.schema.Shape.Numbers;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.Strings;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Whether values satisfy shapes, and shapes have values. */
final class Values {

    private static final int DEEPEST = 4; // how far emptiness is looked for

    private final Expansion expansion;
    private final Map<Strings, Automaton> automata = new HashMap<>();

    Values(Expansion expansion) {
        this.expansion = expansion;
    }

    static boolean isInteger(BigDecimal value) {
        return value.signum() == 0 || value.stripTrailingZeros().scale() <= 0;
    }

    /** As JSON Schema compares: 1 equals 1.0. */
    static boolean equal(JsonNode a, JsonNode b) {
        if (a.isNumber() && b.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue()) == 0;
        }
        if (a.getNodeType() != b.getNodeType() || a.size() != b.size()) {
            return false;
        }
        if (a.isArray()) {
            return IntStream.range(0, a.size()).allMatch(i -> equal(a.get(i), b.get(i)));
        }
        return a.isObject() ? a.properties().stream().allMatch(f -> b.has(f.getKey()) && equal(f.getValue(), b.get(f.getKey())))
                : a.equals(b);
    }

    Automaton automaton(Strings s) {
        return automata.computeIfAbsent(s, k -> {
            try {
                return build(k);
            } catch (Nfa.TooLarge e) {
                boolean measured = k.min() > 0 || k.max() != Gbnf.UNLIMITED;
                throw new Refused(k.at(), measured ? "together with " + (k.min() > 0 ? "minLength" : "maxLength")
                        + " it needs too many states; leave one of them out, or say both by a pattern" : e.getMessage(), true);
            }
        });
    }

    private static Automaton build(Strings s) throws Nfa.TooLarge {
        try {
            return Automaton.of(s.terms(), s.min(), s.max());
        } catch (Nfa.TooLarge e) {
            if (s.max() == Gbnf.UNLIMITED || s.terms().isEmpty()) {
                throw e;
            }
            Automaton unmeasured = Automaton.of(s.terms(), s.min(), Gbnf.UNLIMITED);
            if (unmeasured.acceptsLongerThan(s.max())) {
                throw e;
            }
            return unmeasured;
        }
    }

    boolean matches(Regex names, String name) {
        return automaton(new Strings(0, Gbnf.UNLIMITED, List.of(new Automaton.Term(names, false)), "")).accepts(name);
    }

    boolean holds(JsonNode value, Conj conj) {
        return expansion.branches(conj).stream().anyMatch(b -> holds(value, b.shape()));
    }

    boolean holds(JsonNode value, Shape shape) {
        return switch (shape) {
            case Constant c -> equal(value, c.value());
            case Numbers n -> value.isNumber() && holds(value.decimalValue(), n);
            case Strings s -> value.isTextual() && holds(value.textValue(), s);
            case Arrays a -> value.isArray() && holdsArray(value, a);
            case Objects o -> value.isObject() && holdsObject(value, o);
        };
    }

    private static boolean holds(BigDecimal value, Numbers n) {
        boolean within = above(value, n.low(), 1) && above(value, n.high(), -1);
        return within && (!n.integer() || isInteger(value)) && (n.step() == null || value.remainder(n.step()).signum() == 0);
    }

    private static boolean above(BigDecimal value, Bound bound, int sign) {
        int order = bound.value() == null ? 1 : value.compareTo(bound.value()) * sign;
        return order > 0 || order == 0 && !bound.open();
    }

    private boolean holds(String text, Strings s) {
        int length = text.codePointCount(0, text.length());
        return length >= s.min() && length <= s.max() && (s.terms().isEmpty() || automaton(s).accepts(text));
    }

    private boolean holdsArray(JsonNode array, Arrays a) {
        int size = array.size();
        boolean unique = a.uniqueAt().isEmpty() || IntStream.range(0, size)
                .allMatch(i -> IntStream.range(0, i).noneMatch(j -> equal(array.get(i), array.get(j))));
        return size >= a.min() && size <= a.max() && unique && a.contains().stream().allMatch(c -> holds(array, c))
                && IntStream.range(0, size).allMatch(i -> holds(array.get(i), ArrayForm.item(a, i)));
    }

    private boolean holds(JsonNode array, Contains c) {
        long found = IntStream.range(0, array.size()).filter(i -> holds(array.get(i), c.value())).count();
        return found >= c.min() && found <= c.max();
    }

    private boolean holdsObject(JsonNode object, Objects o) {
        return object.size() >= o.min() && object.size() <= o.max() && o.required().stream().allMatch(object::has)
                && object.properties().stream().allMatch(f -> named(f.getKey(), o) && holds(f.getValue(), property(o, f.getKey())));
    }

    /** Whether "propertyNames" lets it pass. */
    boolean named(String name, Objects o) {
        return o.names().stream().allMatch(n -> holds(TextNode.valueOf(name), n));
    }

    /** What a property of this name must satisfy. */
    Conj property(Objects o, String name) {
        Conj all = Conj.ANYTHING;
        for (var layer : o.layers()) {
            boolean other = true;
            if (layer.properties().containsKey(name)) {
                all = all.and(layer.properties().get(name));
                other = false;
            }
            for (var pattern : layer.patterns()) {
                if (matches(pattern.names(), name)) {
                    all = all.and(pattern.value());
                    other = false;
                }
            }
            all = other && layer.others() != null ? all.and(layer.others()) : all;
        }
        return all;
    }

    /** True only where certainly nothing satisfies it. */
    boolean isEmpty(List<Branch> branches) {
        return branches.stream().allMatch(b -> isEmpty(b.shape(), DEEPEST));
    }

    private boolean isEmpty(Conj conj, int depth) {
        if (depth == 0 || conj.isAnything()) {
            return false;
        }
        try {
            return expansion.branches(conj).stream().allMatch(b -> isEmpty(b.shape(), depth - 1));
        } catch (Refused.Circle e) {
            return false; // it is being looked at further up
        }
    }

    private boolean isEmpty(Shape shape, int depth) {
        return switch (shape) {
            case Constant c -> false;
            case Numbers n -> n.low().value() != null && n.high().value() != null && empty(n);
            case Strings s -> !s.terms().isEmpty() && automaton(s).isEmpty();
            case Arrays a -> a.contains().stream().anyMatch(c -> c.min() > 0 && isEmpty(c.value(), depth))
                    || IntStream.range(0, Math.min(a.min(), 8)).anyMatch(i -> isEmpty(ArrayForm.item(a, i), depth));
            case Objects o -> o.required().stream().anyMatch(r -> !named(r, o) || isEmpty(property(o, r), depth));
        };
    }

    private static boolean empty(Numbers n) {
        int order = n.low().value().compareTo(n.high().value());
        return order > 0 || order == 0 && (n.low().open() || n.high().open());
    }
}
