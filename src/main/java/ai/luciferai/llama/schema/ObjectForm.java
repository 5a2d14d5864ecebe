package ai.luciferai.llama.schema;

import static ai.luciferai.llama.schema.Gbnf.literal;
import static ai.luciferai.llama.schema.Gbnf.sequence;

import ai.luciferai.llama.schema.Automaton.Term;
import ai.luciferai.llama.schema.Gbnf.Rule;
import ai.luciferai.llama.schema.Shape.Branch;
import ai.luciferai.llama.schema.Shape.Constant;
import ai.luciferai.llama.schema.Shape.Matching;
import ai.luciferai.llama.schema.Shape.Objects;
import ai.luciferai.llama.schema.Shape.PropertyLayer;
import ai.luciferai.llama.schema.Shape.Strings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** Objects: required properties first, then the others that are named, then those that are not, each name once. */
final class ObjectForm {

    private static final int MOST_PATTERNS = 6;
    private static final int MOST_STATES = 20_000;
    private static final Gbnf COMMA = sequence(literal(","), Rules.SPACE);

    private final Rules rules;
    private final Expansion expansion;
    private final Function<Conj, Gbnf> form;

    ObjectForm(Rules rules, Expansion expansion, Function<Conj, Gbnf> form) {
        this.rules = rules;
        this.expansion = expansion;
        this.form = form;
    }

    /** A pair, or with {@code many} any number of pairs. */
    private record Slot(Gbnf pair, boolean required, boolean many) {}

    /**
     * Before a pair.
     *
     * @param used     whether this slot has had one
     * @param distinct names so far that certainly differ, as far as a minimum asks
     * @param total    pairs so far, as far as a maximum asks
     */
    private record State(int slot, boolean begun, boolean used, int distinct, int total) {}

    Gbnf of(Objects o) {
        if (o.equals(Objects.ALL) || o.layers().stream().allMatch(ObjectForm::silent) && o.required().isEmpty() && o.names().isEmpty()
                && o.min() == 0 && o.max() == Gbnf.UNLIMITED) {
            return Rules.OBJECT;
        }
        boolean described = o.layers().stream().anyMatch(l -> !l.properties().isEmpty() || !l.patterns().isEmpty());
        boolean open = !described || o.layers().stream().anyMatch(l -> l.others() != null);
        List<Supplier<Gbnf>> preferences = new ArrayList<>();
        if (!open) { // properties that the schema does not name are possible, but not meant
            preferences.add(() -> pairs(o, false));
        }
        preferences.add(() -> pairs(o, true));
        Rule rule = rules.reserve();
        rules.define(rule, preferences);
        return rule;
    }

    private static boolean silent(PropertyLayer l) {
        return l.properties().isEmpty() && l.patterns().isEmpty() && (l.others() == null || l.others().isAnything());
    }

    private Gbnf pairs(Objects o, boolean open) {
        Set<String> names = new LinkedHashSet<>(o.required());
        o.layers().forEach(l -> names.addAll(l.properties().keySet()));
        List<String> listed = listedNames(o);
        names.addAll(listed == null ? List.of() : listed);
        List<Slot> slots = new ArrayList<>();
        inOrder(names, o).forEach(name -> {
            Conj value = expansion.values().named(name, o) ? expansion.values().property(o, name) : Conj.NOTHING;
            slots.add(new Slot(sequence(literal(Literals.jsonString(name)), Rules.SPACE, literal(":"), Rules.SPACE, form.apply(value)),
                    o.required().contains(name), false));
        });
        if (listed == null) {
            free(o, names, open, slots);
        }
        if (open && o.min() > slots.size()) {
            throw new Refused(o.minAt(), "so many names that differ cannot be promised", true);
        }
        if (slots.isEmpty()) {
            return o.min() == 0 ? sequence(literal("{"), Rules.SPACE, literal("}")) : Gbnf.NEVER;
        }
        boolean counted = o.max() < slots.size() || slots.stream().anyMatch(Slot::many);
        int max = counted ? o.max() : Gbnf.UNLIMITED;
        Gbnf rest = rest(slots, new State(0, false, false, 0, 0), o, max, new HashMap<>());
        return sequence(literal("{"), Rules.SPACE, rest, Rules.SPACE, literal("}"));
    }

    /** As llama.cpp has them: the required ones first, in the order of "properties". */
    private static List<String> inOrder(Set<String> names, Objects o) {
        Set<String> ordered = new LinkedHashSet<>();
        o.layers().forEach(l -> l.properties().keySet().stream().filter(o.required()::contains).forEach(ordered::add));
        ordered.addAll(o.required());
        o.layers().forEach(l -> ordered.addAll(l.properties().keySet()));
        ordered.addAll(names);
        return List.copyOf(ordered);
    }

    /** Where "propertyNames" is a list of names, that list. */
    private List<String> listedNames(Objects o) {
        if (o.names().isEmpty()) {
            return null;
        }
        List<String> listed = new ArrayList<>();
        for (Branch b : nameBranches(o)) {
            if (b.shape() instanceof Strings) {
                return null;
            }
            if (b.shape() instanceof Constant c && c.value().isTextual()) {
                listed.add(c.value().textValue());
            }
        }
        return listed;
    }

    private List<Branch> nameBranches(Objects o) {
        Conj all = Conj.ANYTHING;
        for (Conj one : o.names()) {
            all = all.and(one);
        }
        return expansion.branches(all);
    }

    /** Names that are not listed: by which patterns they match, and by what "propertyNames" says. */
    private void free(Objects o, Set<String> names, boolean open, List<Slot> slots) {
        List<Matching> patterns = o.layers().stream().flatMap(l -> l.patterns().stream()).toList();
        List<Regex> regexes = patterns.stream().map(Matching::names).distinct().toList();
        if (regexes.size() > MOST_PATTERNS) {
            throw new Refused(o.minAt().replace("minProperties", "patternProperties"), "more than " + MOST_PATTERNS + " patterns", true);
        }
        for (int matched = (1 << regexes.size()) - 1; matched >= (open ? 0 : 1); matched--) {
            List<Term> terms = new ArrayList<>();
            for (int i = 0; i < regexes.size(); i++) {
                terms.add(new Term(regexes.get(i), (matched >> i & 1) == 0));
            }
            if (!names.isEmpty()) {
                terms.add(new Term(Regex.exactly(List.copyOf(names)), true));
            }
            Conj value = value(o, regexes, matched);
            if (!value.equals(Conj.NOTHING)) {
                nameForms(o, terms).forEach(name -> slots.add(new Slot(
                        sequence(name, literal(":"), Rules.SPACE, form.apply(value)), false, true)));
            }
        }
    }

    private List<Gbnf> nameForms(Objects o, List<Term> terms) {
        if (o.names().isEmpty()) {
            return terms.isEmpty() ? List.of(Rules.STRING) : text(new Strings(0, Gbnf.UNLIMITED, terms, o.minAt()));
        }
        List<Gbnf> all = new ArrayList<>();
        for (Branch b : nameBranches(o)) {
            if (b.shape() instanceof Strings s) {
                List<Term> both = new ArrayList<>(terms);
                both.addAll(s.terms());
                all.addAll(text(new Strings(s.min(), s.max(), both, s.at())));
            }
        }
        return all.size() < 2 ? all : List.of(rules.rule(new Gbnf.Choice(all))); // they may overlap
    }

    private List<Gbnf> text(Strings s) {
        Automaton names = expansion.values().automaton(s);
        return names.isEmpty() ? List.of() : List.of(sequence(Rules.QUOTE, names.gbnf(rules)));
    }

    private static Conj value(Objects o, List<Regex> regexes, int matched) {
        Conj all = Conj.ANYTHING;
        for (PropertyLayer layer : o.layers()) {
            boolean other = true;
            for (Matching pattern : layer.patterns()) {
                if ((matched >> regexes.indexOf(pattern.names()) & 1) == 1) {
                    all = all.and(pattern.value());
                    other = false;
                }
            }
            all = other && layer.others() != null ? all.and(layer.others()) : all;
        }
        return all;
    }

    private Gbnf rest(List<Slot> slots, State state, Objects o, int max, Map<State, Rule> known) {
        Rule rule = known.get(state);
        if (rule != null) {
            return rule;
        }
        if (known.size() > MOST_STATES) {
            throw new Refused(o.minAt(), "there are too many counts to tell apart", true);
        }
        rule = rules.reserve();
        known.put(state, rule);
        List<Gbnf> options = new ArrayList<>();
        if (state.slot() == slots.size()) {
            options.add(state.distinct() >= o.min() ? Gbnf.EMPTY : Gbnf.NEVER);
        } else {
            Slot slot = slots.get(state.slot());
            if (state.total() < max) {
                boolean counts = !state.used();
                State next = new State(state.slot() + (slot.many() ? 0 : 1), true, slot.many(),
                        Math.min(o.min(), state.distinct() + (counts ? 1 : 0)), max == Gbnf.UNLIMITED ? 0 : state.total() + 1);
                options.add(sequence(state.begun() ? COMMA : Gbnf.EMPTY, slot.pair(), rest(slots, next, o, max, known)));
            }
            if (!slot.required()) {
                options.add(rest(slots, new State(state.slot() + 1, state.begun(), false, state.distinct(), state.total()), o, max, known));
            }
        }
        rules.define(rule, new Gbnf.Choice(options));
        return rule;
    }
}
