package ai.luciferai.llama.schema;

import static ai.luciferai.llama.schema.Gbnf.literal;
import static ai.luciferai.llama.schema.Gbnf.sequence;

import ai.luciferai.llama.schema.Gbnf.Rule;
import ai.luciferai.llama.schema.Shape.Arrays;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Numbers;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.Strings;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The grammar of a schema: a rule for each set of schemas that apply to a value at once. */
final class SchemaGrammar {

    private final Rules rules = new Rules();
    private final Expansion expansion;
    private final NumberForm numbers = new NumberForm(rules);
    private final ArrayForm arrays;
    private final ObjectForm objects;
    private final Map<Conj, Rule> known = new HashMap<>();
    private final Map<Strings, Gbnf> strings = new HashMap<>();
    private final Deque<Conj> open = new ArrayDeque<>();

    SchemaGrammar(Expansion expansion) {
        this.expansion = expansion;
        arrays = new ArrayForm(rules, expansion, this::rule);
        objects = new ObjectForm(rules, expansion, this::rule);
    }

    /** Null where nothing satisfies it that could be promised. */
    String of(Place place, String start, String prefix) {
        Gbnf top = rule(Conj.of(place));
        Rule root = top instanceof Rule r ? r : rules.rule(top);
        do {
            while (!open.isEmpty()) {
                Conj next = open.removeFirst();
                define(known.get(next), next);
            }
        } while (rules.improve(root));
        return rules.print(root, start, prefix);
    }

    private Gbnf rule(Conj conj) {
        if (conj.isAnything()) {
            return Rules.VALUE;
        }
        Rule rule = known.get(conj);
        if (rule == null) {
            rule = rules.reserve();
            known.put(conj, rule);
            open.add(conj);
        }
        return rule;
    }

    private void define(Rule rule, Conj conj) {
        List<Branch> all = expansion.branches(conj);
        if (all == Expansion.ANYTHING) {
            rules.define(rule, Rules.VALUE);
            return;
        }
        List<Branch> meant = all.stream().filter(Branch::meant).toList();
        List<Supplier<Gbnf>> preferences = new ArrayList<>();
        if (!meant.isEmpty() && meant.size() < all.size()) {
            preferences.add(() -> choice(meant));
        }
        preferences.add(() -> choice(all));
        rules.define(rule, preferences);
    }

    private Gbnf choice(List<Branch> branches) {
        return new Gbnf.Choice(branches.stream().map(b -> form(b.shape())).toList());
    }

    private Gbnf form(Shape shape) {
        return switch (shape) {
            case Constant c -> literal(Literals.json(c.value()));
            case Numbers n -> numbers.of(n);
            case Strings s -> strings.computeIfAbsent(s, this::string);
            case Arrays a -> arrays.of(a);
            case Objects o -> objects.of(o);
        };
    }

    private Gbnf string(Strings s) {
        if (!s.terms().isEmpty()) {
            return sequence(Rules.QUOTE, expansion.values().automaton(s).gbnf(rules));
        }
        if (s.min() == 0 && s.max() == Gbnf.UNLIMITED) {
            return Rules.STRING;
        }
        return sequence(Rules.QUOTE, rules.repeat(Rules.CHARACTER, s.min(), s.max()), Rules.QUOTE);
    }
}
