package ai.luciferai.llama.schema;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/** A grammar as llama.cpp reads its text: draws texts from it, and tells whether a text belongs to it. */
final class GbnfText {

    private static final int FAR = 1_000_000;

    private sealed interface Node {}

    private record Characters(boolean negated, List<int[]> ranges) implements Node {

        boolean has(int c) {
            return ranges.stream().anyMatch(r -> r[0] <= c && c <= r[1]) != negated;
        }
    }

    private record Name(String name) implements Node {}

    private record Sequence(List<Node> parts) implements Node {}

    private record Choice(List<Node> options) implements Node {}

    private record Repeat(Node part, int least, int most) implements Node {}

    private final Map<String, Node> rules = new LinkedHashMap<>();
    private final Map<String, Integer> heights = new HashMap<>();
    private final int[] text;
    private int at;

    GbnfText(String grammar) {
        text = grammar.codePoints().toArray();
        for (space(true); at < text.length; space(true)) {
            String name = name();
            space(false);
            at += 3; // ::=
            space(true);
            if (rules.put(name, alternates(false)) != null) {
                throw new IllegalStateException("two rules " + name);
            }
        }
        measure();
    }

    int size() {
        return rules.size();
    }

    // --- reading

    private int peek() {
        return at < text.length ? text[at] : -1;
    }

    private void space(boolean lines) {
        while (peek() == ' ' || peek() == '\t' || lines && peek() == '\n') {
            at++;
        }
    }

    private String name() {
        StringBuilder name = new StringBuilder();
        while (Character.isLetterOrDigit(peek()) || peek() == '-') {
            name.appendCodePoint(text[at++]);
        }
        if (name.isEmpty()) {
            throw new IllegalStateException("expected a name at " + new String(text, at, Math.min(40, text.length - at)));
        }
        return name.toString();
    }

    private Node alternates(boolean nested) {
        List<Node> options = new ArrayList<>(List.of(sequence(nested)));
        while (peek() == '|') {
            at++;
            space(true);
            options.add(sequence(nested));
        }
        return options.size() == 1 ? options.getFirst() : new Choice(options);
    }

    private Node sequence(boolean nested) {
        List<Node> parts = new ArrayList<>();
        while (at < text.length && peek() != '|' && peek() != ')' && peek() != '\n') {
            parts.add(repeated(symbol()));
            space(nested);
        }
        return new Sequence(parts);
    }

    private Node symbol() {
        int c = peek();
        if (c == '"') {
            at++;
            List<Node> parts = new ArrayList<>();
            while (peek() != '"') {
                int one = character();
                parts.add(new Characters(false, List.of(new int[] {one, one})));
            }
            at++;
            return new Sequence(parts);
        }
        if (c == '[') {
            return characters();
        }
        if (c == '(') {
            at++;
            space(true);
            Node inner = alternates(true);
            if (peek() != ')') {
                throw new IllegalStateException("expected )");
            }
            at++;
            return inner;
        }
        return new Name(name());
    }

    private Node characters() {
        at++;
        boolean negated = peek() == '^';
        at += negated ? 1 : 0;
        List<int[]> ranges = new ArrayList<>();
        while (peek() != ']') {
            int from = character();
            int to = from;
            if (peek() == '-' && text[at + 1] != ']') {
                at++;
                to = character();
            }
            ranges.add(new int[] {from, to});
        }
        at++;
        return new Characters(negated, ranges);
    }

    private int character() {
        int c = text[at++];
        if (c != '\\') {
            return c;
        }
        int escape = text[at++];
        int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
        if (digits > 0) {
            at += digits;
            return Integer.parseInt(new String(text, at - digits, digits), 16);
        }
        return switch (escape) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case '\\', '"', '[', ']', '-' -> escape;
            default -> throw new IllegalStateException("unknown escape " + Character.toString(escape));
        };
    }

    private Node repeated(Node node) {
        Node all = node;
        while (true) {
            switch (peek()) {
                case '*' -> all = new Repeat(all, 0, FAR);
                case '+' -> all = new Repeat(all, 1, FAR);
                case '?' -> all = new Repeat(all, 0, 1);
                case '{' -> {
                    int end = at;
                    while (text[end] != '}') {
                        end++;
                    }
                    String[] counts = new String(text, at + 1, end - at - 1).split(",", -1);
                    int least = Integer.parseInt(counts[0]);
                    int most = counts.length == 1 ? least : counts[1].isEmpty() ? FAR : Integer.parseInt(counts[1]);
                    all = new Repeat(all, least, most);
                    at = end;
                }
                default -> {
                    return all;
                }
            }
            at++;
        }
    }

    // --- drawing

    private void measure() {
        List<String> latestFirst = new ArrayList<>(rules.keySet()).reversed();
        for (boolean changed = true; changed;) {
            changed = false;
            for (String name : latestFirst) {
                int height = 1 + height(rules.get(name));
                changed |= height < heights.getOrDefault(name, FAR);
                heights.merge(name, height, Math::min);
            }
        }
        if (heights.get("root") >= FAR) {
            throw new IllegalStateException("the root never ends");
        }
    }

    private int height(Node node) {
        return switch (node) {
            case Characters c -> 0;
            case Name n -> heights.getOrDefault(n.name(), FAR);
            case Sequence s -> s.parts().stream().mapToInt(this::height).max().orElse(0);
            case Choice c -> c.options().stream().mapToInt(this::height).min().orElse(FAR);
            case Repeat r -> r.least() == 0 ? 0 : height(r.part());
        };
    }

    /** One of its texts. @param depth of rules, beyond which the shortest way out is taken */
    String draw(Random random, int depth) {
        StringBuilder out = new StringBuilder();
        draw(new Name("root"), random, depth, out);
        return out.toString();
    }

    private void draw(Node node, Random random, int depth, StringBuilder out) {
        switch (node) {
            case Characters c -> out.appendCodePoint(one(c, random));
            case Name n -> draw(rules.get(n.name()), random, depth - 1, out);
            case Sequence s -> s.parts().forEach(p -> draw(p, random, depth, out));
            case Choice c -> {
                List<Node> fitting = c.options().stream().filter(o -> height(o) < Math.max(1, depth)).toList();
                Node shortest = c.options().stream().min((a, b) -> Integer.compare(height(a), height(b))).orElseThrow();
                draw(fitting.isEmpty() ? shortest : fitting.get(random.nextInt(fitting.size())), random, depth, out);
            }
            case Repeat r -> {
                boolean more = height(r.part()) < Math.max(1, depth) && out.length() < 400;
                int most = more ? Math.min(r.most(), r.least() + random.nextInt(5)) : r.least();
                for (int i = 0; i < most; i++) {
                    draw(r.part(), random, depth, out);
                }
            }
        }
    }

    private static int one(Characters c, Random random) {
        if (!c.negated()) {
            int[] range = c.ranges().get(random.nextInt(c.ranges().size()));
            return range[0] + random.nextInt(range[1] - range[0] + 1);
        }
        while (true) {
            int candidate = random.nextInt(4) > 0 ? random.nextInt(128) : random.nextInt(0x11000);
            if (c.has(candidate) && (candidate < Character.MIN_SURROGATE || candidate > Character.MAX_SURROGATE)) {
                return candidate;
            }
        }
    }

    // --- recognizing

    /** Whether a text is one of its own. */
    boolean accepts(String candidate) {
        int[] points = candidate.codePoints().toArray();
        return ends(new Name("root"), 0, points, new HashMap<>()).contains(points.length);
    }

    private Set<Integer> ends(Node node, int from, int[] points, Map<String, Set<Integer>> known) {
        return switch (node) {
            case Characters c -> from < points.length && c.has(points[from]) ? Set.of(from + 1) : Set.of();
            case Name n -> {
                String key = n.name() + "@" + from;
                Set<Integer> found = known.get(key);
                if (found == null) {
                    found = ends(rules.get(n.name()), from, points, known);
                    known.put(key, found);
                }
                yield found;
            }
            case Sequence s -> {
                Set<Integer> ends = Set.of(from);
                for (Node part : s.parts()) {
                    Set<Integer> next = new TreeSet<>();
                    ends.forEach(e -> next.addAll(ends(part, e, points, known)));
                    ends = next;
                }
                yield ends;
            }
            case Choice c -> {
                Set<Integer> ends = new TreeSet<>();
                c.options().forEach(o -> ends.addAll(ends(o, from, points, known)));
                yield ends;
            }
            case Repeat r -> repeated(r, from, points, known);
        };
    }

    private Set<Integer> repeated(Repeat r, int from, int[] points, Map<String, Set<Integer>> known) {
        Set<Integer> all = new TreeSet<>();
        Set<Integer> ends = Set.of(from);
        for (int i = 0; i <= r.most() && !ends.isEmpty(); i++) {
            if (i >= r.least() && !all.addAll(ends)) {
                break;
            }
            Set<Integer> next = new TreeSet<>();
            ends.forEach(e -> next.addAll(ends(r.part(), e, points, known)));
            ends = next;
        }
        return all;
    }

    @Override
    public String toString() {
        return Arrays.toString(rules.keySet().toArray());
    }
}
