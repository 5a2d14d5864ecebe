package ai.luciferai.llama.schema;

import ai.luciferai.llama.schema.Regex.Anchor;
import ai.luciferai.llama.schema.Regex.Node;
import ai.luciferai.llama.schema.Regex.One;
import ai.luciferai.llama.schema.Regex.Or;
import ai.luciferai.llama.schema.Regex.Then;
import ai.luciferai.llama.schema.Regex.Times;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;

/** A pattern's states; its start is 0. Steps without a character may be bound to the text's start or end. */
final class Nfa {

    private static final int MOST = 20_000;

    /** @param of null for a step without a character; then {@code anchor} says where it may be taken, null: anywhere */
    private record Step(CodePoints of, Anchor anchor, int to) {}

    private final List<List<Step>> steps = new ArrayList<>();
    private final int goal;

    private Nfa(Node body) throws TooLarge {
        int start = state();
        goal = state();
        build(body, start, goal);
    }

    /** It has no grammar of a sensible size. */
    static final class TooLarge extends Exception {

        private static final long serialVersionUID = 1L;

        TooLarge() {
            super("it needs too many states", null, false, false);
        }
    }

    static Nfa of(Node body) throws TooLarge {
        return new Nfa(body);
    }

    private int state() throws TooLarge {
        if (steps.size() > MOST) {
            throw new TooLarge();
        }
        steps.add(new ArrayList<>(2));
        return steps.size() - 1;
    }

    private void empty(int from, int to) {
        steps.get(from).add(new Step(null, null, to));
    }

    private void build(Node node, int from, int to) throws TooLarge {
        switch (node) {
            case One one -> steps.get(from).add(new Step(one.of(), null, to));
            case Anchor anchor -> steps.get(from).add(new Step(null, anchor, to));
            case Then then -> {
                int at = from;
                for (Node part : then.parts()) {
                    int next = state();
                    build(part, at, next);
                    at = next;
                }
                empty(at, to);
            }
            case Or or -> {
                for (Node option : or.options()) {
                    build(option, from, to);
                }
            }
            case Times times -> repeat(times, from, to);
        }
    }

    private void repeat(Times times, int from, int to) throws TooLarge {
        int at = state();
        empty(from, at);
        for (int i = 0; i < times.least(); i++) {
            int next = state();
            build(times.part(), at, next);
            at = next;
        }
        if (times.most() == Gbnf.UNLIMITED) {
            int loop = state();
            empty(at, loop);
            build(times.part(), loop, loop);
            empty(loop, to);
            return;
        }
        for (int i = times.least(); i < times.most(); i++) {
            empty(at, to);
            int next = state();
            build(times.part(), at, next);
            at = next;
        }
        empty(at, to);
    }

    List<CodePoints> sets() {
        return steps.stream().flatMap(List::stream).map(Step::of).filter(s -> s != null).distinct().toList();
    }

    BitSet start() {
        BitSet set = new BitSet();
        set.set(0);
        return closure(set, true, false);
    }

    BitSet step(BitSet from, int c) {
        BitSet to = new BitSet();
        from.stream().forEach(s -> {
            for (Step step : steps.get(s)) {
                if (step.of != null && step.of.has(c)) {
                    to.set(step.to);
                }
            }
        });
        return closure(to, false, false);
    }

    boolean accepts(BitSet set, boolean atStart) {
        return closure(set, atStart, true).get(goal);
    }

    private BitSet closure(BitSet set, boolean atStart, boolean atEnd) {
        BitSet all = (BitSet) set.clone();
        Deque<Integer> open = new ArrayDeque<>();
        set.stream().forEach(open::add);
        while (!open.isEmpty()) {
            for (Step step : steps.get(open.removeFirst())) {
                boolean free = step.of == null && (step.anchor == null || (step.anchor.end() ? atEnd : atStart));
                if (free && !all.get(step.to)) {
                    all.set(step.to);
                    open.add(step.to);
                }
            }
        }
        return all;
    }
}
