package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Regex.Look;
import ai.luciferai.llama.schema.Regex.Then;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Texts that match several patterns at once, or do not, and have some length: one state after each beginning. */
final class Automaton {

    private static final int MOST = 6000;
    private static final int MOST_TO_MINIMIZE = 800;

    /** A pattern that must, or must not, be found. */
    record Term(Regex regex, boolean negated) {}

    /** Patterns with their looks: texts match when each of {@code parts} does, but for those that must not. */
    private record Compiled(List<Nfa> parts, List<Boolean> forbidden, boolean negated) {}

    /** @param length characters so far, as far as they matter */
    private record State(List<BitSet> sets, int length) {}

    private final List<Compiled> terms = new ArrayList<>();
    private final List<CodePoints> classes = new ArrayList<>();
    private final List<Integer> members = new ArrayList<>(); // one of each class
    private final int min;
    private final int max;
    private final boolean whole; // whether every character may be generated somewhere
    private final List<int[]> targets = new ArrayList<>();
    private final List<Boolean> accepting = new ArrayList<>();

    private Automaton(List<Term> wanted, int min, int max) throws Nfa.TooLarge {
        this.min = min;
        this.max = max;
        CodePoints strange = new CodePoints();
        for (Term term : wanted) {
            terms.add(compile(term));
            strange.addAll(term.regex().strange());
            if (term.negated() && !term.regex().isList()) { // '$' stands before a last line end too, some say
                strange.addAll(Regex.LINE_ENDS).add(0x85, 0x85);
            }
        }
        whole = strange.isEmpty();
        partition(strange);
        explore();
        if (targets.size() <= MOST_TO_MINIMIZE) {
            minimize();
        }
    }

    /** @param max {@link Gbnf#UNLIMITED} for no bound */
    static Automaton of(List<Term> terms, int min, int max) throws Nfa.TooLarge {
        return new Automaton(terms, min, max);
    }

    private static Compiled compile(Term term) throws Nfa.TooLarge {
        Regex r = term.regex();
        List<Nfa> parts = new ArrayList<>();
        List<Boolean> forbidden = new ArrayList<>();
        parts.add(Nfa.of(new Then(List.of(Regex.anything(), r.body(), Regex.anything()))));
        forbidden.add(false);
        for (Look look : r.looks()) {
            parts.add(Nfa.of(new Then(List.of(look.body(), Regex.anything()))));
            forbidden.add(look.negated());
        }
        return new Compiled(parts, forbidden, term.negated());
    }

    /** Classes of characters that no pattern tells apart. */
    private void partition(CodePoints strange) {
        List<CodePoints> sets = new ArrayList<>(List.of(strange, CodePoints.all()));
        terms.forEach(t -> t.parts().forEach(p -> sets.addAll(p.sets())));
        List<CodePoints> distinct = sets.stream().distinct().toList();
        TreeSet<Integer> borders = new TreeSet<>();
        distinct.forEach(s -> borders.addAll(s.borders()));
        Map<BitSet, CodePoints> bySignature = new LinkedHashMap<>();
        for (int from : borders) {
            Integer next = borders.higher(from);
            if (next == null || strange.has(from) || !distinct.get(1).has(from)) {
                continue;
            }
            BitSet signature = new BitSet();
            for (int i = 0; i < distinct.size(); i++) {
                signature.set(i, distinct.get(i).has(from));
            }
            bySignature.computeIfAbsent(signature, s -> new CodePoints()).add(from, next - 1);
        }
        bySignature.values().forEach(c -> {
            classes.add(c);
            members.add(c.borders().getFirst());
        });
    }

    private void explore() throws Nfa.TooLarge {
        Map<State, Integer> known = new HashMap<>();
        List<State> states = new ArrayList<>();
        List<BitSet> start = new ArrayList<>();
        terms.forEach(t -> t.parts().forEach(p -> start.add(p.start())));
        add(new State(start, 0), known, states);
        for (int i = 0; i < states.size(); i++) {
            Bounded.check();
            if (i > MOST) {
                throw new Nfa.TooLarge();
            }
            State from = states.get(i);
            accepting.add(accepts(from, i == 0));
            int[] to = new int[classes.size()];
            for (int c = 0; c < to.length; c++) {
                State next = from.length() == max ? null : step(from, members.get(c));
                to[c] = next == null ? -1 : add(next, known, states);
            }
            targets.add(to);
        }
    }

    private static int add(State state, Map<State, Integer> known, List<State> states) {
        return known.computeIfAbsent(state, s -> {
            states.add(s);
            return states.size() - 1;
        });
    }

    private State step(State from, int c) {
        List<BitSet> to = new ArrayList<>();
        int part = 0;
        for (Compiled term : terms) {
            for (Nfa nfa : term.parts()) {
                to.add(nfa.step(from.sets().get(part++), c));
            }
        }
        int counted = max == Gbnf.UNLIMITED ? min : max;
        return new State(to, Math.min(counted, from.length() + 1));
    }

    private boolean accepts(State state, boolean atStart) {
        boolean all = state.length() >= min;
        int part = 0;
        for (Compiled term : terms) {
            boolean matches = true;
            for (int i = 0; i < term.parts().size(); i++) {
                matches &= term.parts().get(i).accepts(state.sets().get(part++), atStart) != term.forbidden().get(i);
            }
            all &= matches != term.negated();
        }
        return all;
    }

    /** Moore: states are told apart by what follows. */
    private void minimize() {
        int n = targets.size();
        int[] block = new int[n];
        for (int i = 0; i < n; i++) {
            block[i] = accepting.get(i) ? 1 : 0;
        }
        for (int count = 0;;) {
            Map<List<Integer>, Integer> blocks = new LinkedHashMap<>();
            int[] next = new int[n];
            Bounded.check();
            for (int i = 0; i < n; i++) {
                List<Integer> key = new ArrayList<>(List.of(block[i]));
                for (int to : targets.get(i)) {
                    key.add(to < 0 ? -1 : block[to]);
                }
                next[i] = blocks.computeIfAbsent(key, k -> blocks.size());
            }
            block = next;
            if (blocks.size() == count) {
                break;
            }
            count = blocks.size();
        }
        merge(block);
    }

    private void merge(int[] block) {
        Map<Integer, Integer> first = new TreeMap<>();
        for (int i = 0; i < block.length; i++) {
            first.putIfAbsent(block[i], i);
        }
        List<int[]> merged = new ArrayList<>();
        List<Boolean> ends = new ArrayList<>();
        for (int representative : first.values()) { // block 0 is the start's
            merged.add(Arrays.stream(targets.get(representative)).map(t -> t < 0 ? -1 : block[t]).toArray());
            ends.add(accepting.get(representative));
        }
        targets.clear();
        targets.addAll(merged);
        accepting.clear();
        accepting.addAll(ends);
    }

    boolean accepts(String text) {
        int state = 0;
        for (int c : text.codePoints().toArray()) {
            int found = -1;
            for (int i = 0; i < classes.size() && found < 0; i++) {
                found = classes.get(i).has(c) ? i : -1;
            }
            state = found < 0 ? -1 : targets.get(state)[found];
            if (state < 0) {
                return false;
            }
        }
        return accepting.get(state);
    }

    boolean acceptsLongerThan(int length) {
        BitSet live = live();
        BitSet at = new BitSet();
        at.set(0);
        for (int i = 0; i <= Math.min(length, targets.size()); i++) { // more steps than states: in a circle
            BitSet next = new BitSet();
            at.stream().forEach(from -> Arrays.stream(targets.get(from)).filter(to -> to >= 0 && live.get(to)).forEach(next::set));
            at = next;
        }
        return !at.isEmpty();
    }

    /** States from which a text may end. */
    private BitSet live() {
        BitSet live = new BitSet();
        for (int count = -1; count != live.cardinality();) {
            count = live.cardinality();
            for (int i = targets.size() - 1; i >= 0; i--) {
                live.set(i, accepting.get(i) || Arrays.stream(targets.get(i)).anyMatch(to -> to >= 0 && live.get(to)));
            }
        }
        return live;
    }

    /** Whether no text is accepted. */
    boolean isEmpty() {
        return !accepting.contains(true); // every state is reached from the start
    }

    /** The rest of a JSON string, from after its first quote on. */
    Gbnf gbnf(Rules rules) {
        List<Gbnf.Rule> states = targets.stream().map(t -> rules.reserve()).toList();
        for (int i = 0; i < targets.size(); i++) {
            rules.define(states.get(i), body(i, states, rules));
        }
        return states.getFirst();
    }

    private Gbnf body(int state, List<Gbnf.Rule> states, Rules rules) {
        boolean free = whole && accepting.get(state) && Arrays.stream(targets.get(state)).allMatch(t -> t == state);
        if (free) {
            return Gbnf.sequence(new Gbnf.Repeat(Rules.CHARACTER, 0, Gbnf.UNLIMITED), Rules.QUOTE);
        }
        Map<Integer, CodePoints> byTarget = new TreeMap<>();
        for (int c = 0; c < classes.size(); c++) {
            if (targets.get(state)[c] >= 0) {
                byTarget.computeIfAbsent(targets.get(state)[c], t -> new CodePoints()).addAll(classes.get(c));
            }
        }
        List<Gbnf> options = new ArrayList<>();
        byTarget.forEach((target, set) -> {
            String one = set.gbnf();
            if (!one.isEmpty()) {
                options.add(Gbnf.sequence(rules.shared(one), states.get(target)));
            }
        });
        if (accepting.get(state)) {
            options.add(Rules.QUOTE);
        }
        return new Gbnf.Choice(options);
    }
}
