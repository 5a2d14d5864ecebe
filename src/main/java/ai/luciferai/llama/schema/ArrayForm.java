package ai.luciferai.llama.schema;

import static ai.luciferai.llama.schema.Gbnf.literal;
import static ai.luciferai.llama.schema.Gbnf.sequence;

import ai.luciferai.llama.schema.Gbnf.Rule;
import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Contains;
import ai.luciferai.llama.schema.Shape.ItemLayer;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** Arrays, item by item. */
final class ArrayForm {

    private static final int MOST_STATES = 4000;
    private static final Gbnf COMMA = sequence(literal(","), Rules.SPACE);

    private final Rules rules;
    private final Expansion expansion;
    private final Function<Conj, Gbnf> form;

    ArrayForm(Rules rules, Expansion expansion, Function<Conj, Gbnf> form) {
        this.rules = rules;
        this.expansion = expansion;
        this.form = form;
    }

    /** Before an item: how many there were, as far as that matters, and how many of each kind that must be contained. */
    private record State(int position, List<Integer> found) {}

    /** What an item must satisfy. */
    static Conj item(Arrays a, int index) {
        Conj all = Conj.ANYTHING;
        for (ItemLayer layer : a.layers()) {
            Conj one = index < layer.prefix().size() ? layer.prefix().get(index) : layer.items();
            all = one == null ? all : all.and(one);
        }
        return all;
    }

    private static int prefix(Arrays a) {
        return a.layers().stream().mapToInt(l -> l.prefix().size()).max().orElse(0);
    }

    Gbnf of(Arrays a) {
        if (!a.uniqueAt().isEmpty() && a.max() > 1) {
            return different(a);
        }
        int prefix = prefix(a);
        boolean closes = prefix > 0 && a.max() > prefix && a.layers().stream().allMatch(l -> l.items() == null);
        if (prefix == 0 && a.contains().isEmpty()) {
            return list(a);
        }
        List<Supplier<Gbnf>> preferences = new ArrayList<>();
        if (closes && prefix >= a.min()) { // nothing is said of what follows: first without, and with all that is said something of
            preferences.add(() -> states(sized(a, prefix, prefix)));
            preferences.add(() -> states(sized(a, a.min(), prefix)));
        }
        preferences.add(() -> states(a));
        Rule rule = rules.reserve();
        rules.define(rule, preferences);
        return rule;
    }

    private static Arrays sized(Arrays a, int min, int max) {
        return new Arrays(a.layers(), min, max, a.uniqueAt(), a.contains());
    }

    /** All items alike. */
    private Gbnf list(Arrays a) {
        Conj item = item(a, 0);
        if (item.isAnything() && a.min() == 0 && a.max() == Gbnf.UNLIMITED) {
            return Rules.ARRAY;
        }
        if (a.max() == 0) {
            return sequence(literal("["), Rules.SPACE, literal("]"));
        }
        Gbnf one = form.apply(item);
        int more = a.max() == Gbnf.UNLIMITED ? a.max() : a.max() - 1;
        Gbnf rest = rules.repeat(sequence(COMMA, one), Math.max(0, a.min() - 1), more);
        Gbnf items = sequence(one, rest);
        return sequence(literal("["), Rules.SPACE, a.min() == 0 ? new Gbnf.Repeat(items, 0, 1) : items, Rules.SPACE, literal("]"));
    }

    private Gbnf states(Arrays a) {
        Map<State, Rule> known = new HashMap<>();
        State start = new State(0, a.contains().stream().map(c -> 0).toList());
        return sequence(literal("["), Rules.SPACE, rest(a, start, known), Rules.SPACE, literal("]"));
    }

    private Gbnf rest(Arrays a, State state, Map<State, Rule> known) {
        Rule rule = known.get(state);
        if (rule != null) {
            return rule;
        }
        if (known.size() > MOST_STATES) {
            throw new Refused(a.contains().isEmpty() ? "" : a.contains().getFirst().at(), "there are too many counts to tell apart", true);
        }
        rule = rules.reserve();
        known.put(state, rule);
        List<Gbnf> options = new ArrayList<>();
        boolean enough = state.position() >= a.min();
        for (int i = 0; i < a.contains().size(); i++) {
            enough &= state.found().get(i) >= a.contains().get(i).min();
        }
        if (enough) {
            options.add(Gbnf.EMPTY);
        }
        if (state.position() < a.max()) {
            next(a, state).forEach((to, value) -> options.add(sequence(state.position() == 0 ? Gbnf.EMPTY : COMMA, form.apply(value),
                    rest(a, to, known))));
        }
        rules.define(rule, new Gbnf.Choice(options));
        return rule;
    }

    /** Where an item leads to, by what it is. */
    private static Map<State, Conj> next(Arrays a, State state) {
        int settled = Math.max(1, Math.max(prefix(a), a.min())); // from here on all positions are alike
        int position = a.max() == Gbnf.UNLIMITED ? Math.min(settled, state.position() + 1) : state.position() + 1;
        Map<List<Integer>, Conj> ways = new LinkedHashMap<>();
        ways.put(List.of(), item(a, state.position()));
        for (int i = 0; i < a.contains().size(); i++) {
            Contains c = a.contains().get(i);
            Map<List<Integer>, Conj> more = new LinkedHashMap<>();
            int found = state.found().get(i);
            for (var way : ways.entrySet()) {
                Bounded.check();
                boolean bounded = c.max() != Gbnf.UNLIMITED;
                if (found < c.max()) {
                    more.put(with(way.getKey(), bounded ? found + 1 : Math.min(c.min(), found + 1)), way.getValue().and(c.value()));
                }
                // an item that need not be counted may be of the kind or not, unless there may be too many of it
                more.put(with(way.getKey(), found), bounded ? way.getValue().and(contrary(c)) : way.getValue());
            }
            ways = more;
        }
        Map<State, Conj> to = new LinkedHashMap<>();
        ways.forEach((found, value) -> to.put(new State(position, found), value));
        return to;
    }

    private static List<Integer> with(List<Integer> counts, int one) {
        List<Integer> all = new ArrayList<>(counts);
        all.add(one);
        return all;
    }

    private static Conj contrary(Contains c) {
        var only = c.value().literals().iterator();
        if (!only.hasNext()) {
            return Conj.NOTHING;
        }
        Conj.Literal literal = only.next();
        return literal.negated() ? Conj.of(literal.place()) : Conj.not(literal.place(), c.at());
    }

    /** Items that differ: of a list of constants, those of some that follow each other. */
    private Gbnf different(Arrays a) {
        List<JsonNode> values = prefix(a) == 0 && a.contains().isEmpty() ? constants(item(a, 0)) : null;
        if (values == null) {
            throw new Refused(a.uniqueAt(), "that items differ can be kept for an enum's values only", true);
        }
        int most = Math.min(a.max(), values.size());
        if (a.min() > most || (long) most * values.size() > MOST_STATES) {
            throw new Refused(a.uniqueAt(), "so many different items cannot be kept", true);
        }
        return sequence(literal("["), Rules.SPACE, chosen(values, new State(0, List.of(0)), a.min(), most, new HashMap<>()), Rules.SPACE,
                literal("]"));
    }

    private List<JsonNode> constants(Conj item) {
        List<JsonNode> values = new ArrayList<>();
        for (Branch b : expansion.branches(item)) {
            if (!(b.shape() instanceof Constant c)) {
                return null;
            }
            if (values.stream().noneMatch(v -> Values.equal(v, c.value()))) {
                values.add(c.value());
            }
        }
        return values;
    }

    private Gbnf chosen(List<JsonNode> values, State state, int min, int max, Map<State, Rule> known) {
        Rule rule = known.get(state);
        if (rule == null) {
            rule = rules.reserve();
            known.put(state, rule);
            int count = state.found().getFirst();
            List<Gbnf> options = new ArrayList<>();
            if (count >= min) {
                options.add(Gbnf.EMPTY);
            }
            for (int i = state.position(); i < values.size() && count < max; i++) {
                options.add(sequence(count == 0 ? Gbnf.EMPTY : COMMA, literal(Literals.json(values.get(i))),
                        chosen(values, new State(i + 1, List.of(count + 1)), min, max, known)));
            }
            rules.define(rule, new Gbnf.Choice(options));
        }
        return rule;
    }
}
