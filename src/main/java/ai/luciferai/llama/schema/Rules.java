package ai.luciferai.llama.schema;

import static ai.luciferai.llama.schema.Gbnf.choice;
import static ai.luciferai.llama.schema.Gbnf.literal;
import static ai.luciferai.llama.schema.Gbnf.sequence;

import ai.luciferai.llama.schema.Gbnf.Choice;
import ai.luciferai.llama.schema.Gbnf.Repeat;
import ai.luciferai.llama.schema.Gbnf.Rule;
import ai.luciferai.llama.schema.Gbnf.Sequence;
import ai.luciferai.llama.schema.Gbnf.Text;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** The rules of a grammar that grows. A rule may have bodies in order of preference: the first that can end is taken. */
final class Rules {

    static final Rule SPACE = new Rule("space");
    static final Gbnf QUOTE = literal("\"");
    static final Rule CHARACTER = new Rule("char");
    static final Rule STRING = new Rule("string");
    static final Rule NUMBER = new Rule("number");
    static final Rule INTEGER = new Rule("integer");
    static final Rule OBJECT = new Rule("object");
    static final Rule ARRAY = new Rule("array");
    static final Rule VALUE = new Rule("value");

    private static final int MOST_RULES = 30_000; // llama.cpp reads so many in a second
    private static final int LARGEST_REPEAT = 500; // llama.cpp's parser refuses some above

    private final Map<String, Gbnf> bodies = new LinkedHashMap<>();
    private final Map<String, Deque<Supplier<Gbnf>>> others = new HashMap<>(); // bodies that are second to it
    private final Map<String, Rule> shared = new HashMap<>(); // by text

    Rules() {
        bodies.put("space", new Text("| \" \" | \"\\n\"{1,2} [ \\t]{0,20}")); // llama.cpp's
        // unlike llama.cpp's, no halves of pairs: they are no text, and two of them would count as one character
        bodies.put("char", new Text("[^\"\\\\\\x7F\\x00-\\x1F] | [\\\\] ([\"\\\\bfnrt] | \"u\" "
                + "([0-9a-ce-fA-CE-F] [0-9a-fA-F]{3} | [dD] [0-7] [0-9a-fA-F]{2}))"));
        bodies.put("string", sequence(QUOTE, new Repeat(CHARACTER, 0, Gbnf.UNLIMITED), QUOTE));
        // unlike llama.cpp's, no exponent beyond a double's
        bodies.put("number", new Text("\"-\"? ([0] | [1-9] [0-9]{0,15}) (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9] [0-9]?)?"));
        bodies.put("integer", new Text("\"-\"? ([0] | [1-9] [0-9]{0,15})"));
        bodies.put("boolean", new Text("\"true\" | \"false\""));
        bodies.put("null", literal("null"));
        bodies.put("value", choice(OBJECT, ARRAY, STRING, NUMBER, new Rule("boolean"), new Rule("null")));
        Gbnf pair = sequence(STRING, literal(":"), SPACE, VALUE);
        bodies.put("object", sequence(literal("{"), SPACE, list(pair), SPACE, literal("}")));
        bodies.put("array", sequence(literal("["), SPACE, list(VALUE), SPACE, literal("]")));
    }

    private static Gbnf list(Gbnf part) {
        Gbnf more = new Repeat(sequence(literal(","), SPACE, part), 0, Gbnf.UNLIMITED);
        return new Repeat(sequence(part, more), 0, 1);
    }

    /** A rule whose body follows. */
    Rule reserve() {
        Bounded.check();
        if (bodies.size() > MOST_RULES) {
            throw new Refused("", "its grammar would have more than " + MOST_RULES + " rules", false);
        }
        Rule rule = new Rule("r" + bodies.size());
        bodies.put(rule.name(), Gbnf.NEVER);
        return rule;
    }

    void define(Rule rule, Gbnf body) {
        bodies.put(rule.name(), body);
    }

    /** @param preferences bodies, the best first */
    void define(Rule rule, List<Supplier<Gbnf>> preferences) {
        var rest = new ArrayDeque<>(preferences);
        bodies.put(rule.name(), rest.removeFirst().get());
        if (!rest.isEmpty()) {
            others.put(rule.name(), rest);
        }
    }

    Rule rule(Gbnf body) {
        Rule rule = reserve();
        define(rule, body);
        return rule;
    }

    /** One rule for a long text that is used again and again. */
    Gbnf shared(String text) {
        return text.length() < 40 ? new Text(text) : shared.computeIfAbsent(text, t -> rule(new Text(t)));
    }

    /** Counts of any size: llama.cpp writes each repetition out, and refuses many at once. */
    Gbnf repeat(Gbnf part, int least, int most) {
        if (least <= LARGEST_REPEAT && (most == Gbnf.UNLIMITED || most <= LARGEST_REPEAT)) {
            return most == 0 ? Gbnf.EMPTY : new Repeat(part, least, most);
        }
        Gbnf one = part instanceof Rule ? part : rule(part);
        int size = most == Gbnf.UNLIMITED ? least : most;
        int chunk = Math.max(2, Math.min(LARGEST_REPEAT, (int) Math.ceil(Math.sqrt(size))));
        Gbnf full = rule(new Repeat(one, chunk, chunk));
        Gbnf must = sequence(repeat(full, least / chunk, least / chunk), repeat(one, least % chunk, least % chunk));
        if (most == Gbnf.UNLIMITED) {
            return sequence(must, new Repeat(one, 0, Gbnf.UNLIMITED));
        }
        int may = most - least;
        // whole chunks and less than one more, so that each count has one way only
        Gbnf upTo = may < chunk ? repeat(one, 0, may) : choice(
                sequence(repeat(full, 0, may / chunk - 1), repeat(one, 0, chunk - 1)),
                sequence(repeat(full, may / chunk, may / chunk), repeat(one, 0, may % chunk)));
        return sequence(must, upTo);
    }

    /** Takes the next preference wherever a rule in use cannot end; false: nothing was left to take. */
    boolean improve(Rule root) {
        Set<String> ending = ending();
        boolean changed = false;
        for (String name : used(root, null)) {
            Deque<Supplier<Gbnf>> rest = others.get(name);
            if (!ending.contains(name) && rest != null && !rest.isEmpty()) {
                bodies.put(name, rest.removeFirst().get());
                changed = true;
            }
        }
        return changed;
    }

    /**
     * The grammar, or null where the root can never end.
     *
     * @param start  name of the rule that is the root
     * @param prefix of all other names
     */
    String print(Rule root, String start, String prefix) {
        Set<String> ending = ending();
        if (!ending.contains(root.name())) {
            return null;
        }
        StringBuilder out = new StringBuilder(start + " ::= " + prefix + root.name() + "\n");
        GbnfWriter writer = new GbnfWriter(out, prefix, node -> ends(node, ending));
        for (String name : used(root, ending)) {
            out.append(prefix).append(name).append(" ::= ");
            writer.write(bodies.get(name), true);
            out.append('\n');
        }
        return out.toString();
    }

    private Set<String> ending() {
        Set<String> ending = new HashSet<>();
        List<String> latestFirst = new ArrayList<>(bodies.keySet()).reversed(); // those that others lead to
        for (boolean grows = true; grows;) {
            Bounded.check();
            grows = false;
            for (String name : latestFirst) {
                if (!ending.contains(name) && ends(bodies.get(name), ending)) {
                    grows |= ending.add(name);
                }
            }
        }
        return ending;
    }

    private static boolean ends(Gbnf body, Set<String> ending) {
        return switch (body) {
            case Text t -> true;
            case Rule r -> ending.contains(r.name());
            case Sequence s -> s.parts().stream().allMatch(p -> ends(p, ending));
            case Choice c -> c.options().stream().anyMatch(o -> ends(o, ending));
            case Repeat r -> r.least() == 0 || ends(r.part(), ending);
        };
    }

    /** Rules that the root leads to. @param ending only by what can end, unless null */
    private Set<String> used(Rule root, Set<String> ending) {
        Set<String> used = new LinkedHashSet<>(List.of(root.name()));
        Deque<String> open = new ArrayDeque<>(used);
        while (!open.isEmpty()) {
            List<String> named = new ArrayList<>();
            names(bodies.get(open.removeFirst()), ending, named);
            for (String name : named) {
                if (used.add(name)) {
                    open.add(name);
                }
            }
        }
        return used;
    }

    private static void names(Gbnf body, Set<String> ending, List<String> found) {
        if (ending != null && !ends(body, ending)) {
            return;
        }
        switch (body) {
            case Text t -> { }
            case Rule r -> found.add(r.name());
            case Sequence s -> s.parts().forEach(p -> names(p, ending, found));
            case Choice c -> c.options().forEach(o -> names(o, ending, found));
            case Repeat r -> names(r.part(), ending, found);
        }
    }
}
