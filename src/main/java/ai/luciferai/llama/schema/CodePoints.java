package ai.luciferai.llama.schema;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** A set of characters of a pattern, and how JSON strings write them, as GBNF. */
final class CodePoints {

    static final int LAST = 0x10FFFF;
    private static final int SURROGATES = 0xD800;
    private static final int AFTER_SURROGATES = 0xE000;
    private static final int CONTROLS = 0x20; // that many, and JSON escapes them
    /** A class with more controls than this means "anything": of those only what a text has is offered. */
    private static final int MOST_CONTROLS = 8;

    private final TreeMap<Integer, Integer> ranges = new TreeMap<>(); // first to last, apart from each other

    /** @param pairs first and last of each range */
    static CodePoints of(int... pairs) {
        CodePoints set = new CodePoints();
        for (int i = 0; i < pairs.length; i += 2) {
            set.add(pairs[i], pairs[i + 1]);
        }
        return set;
    }

    /** All but surrogates, which are no characters. */
    static CodePoints all() {
        return new CodePoints().complement();
    }

    CodePoints add(int first, int last) {
        int from = first;
        int to = last;
        var before = ranges.floorEntry(from);
        if (before != null && before.getValue() >= from - 1) {
            from = before.getKey();
            to = Math.max(to, before.getValue());
        }
        for (var next = ranges.ceilingEntry(from); next != null && next.getKey() <= to + 1; next = ranges.ceilingEntry(from)) {
            to = Math.max(to, next.getValue());
            ranges.remove(next.getKey());
        }
        ranges.put(from, to);
        return this;
    }

    CodePoints addAll(CodePoints other) {
        other.ranges.forEach(this::add);
        return this;
    }

    /** All others, but for surrogates. */
    CodePoints complement() {
        CodePoints known = of(SURROGATES, AFTER_SURROGATES - 1).addAll(this);
        CodePoints rest = new CodePoints();
        int next = 0;
        for (var range : known.ranges.entrySet()) {
            if (range.getKey() > next) {
                rest.add(next, range.getKey() - 1);
            }
            next = range.getValue() + 1;
        }
        if (next <= LAST) {
            rest.add(next, LAST);
        }
        return rest;
    }

    CodePoints minus(CodePoints other) {
        return complement().addAll(other).complement();
    }

    boolean isEmpty() {
        return ranges.isEmpty();
    }

    boolean has(int c) {
        var range = ranges.floorEntry(c);
        return range != null && range.getValue() >= c;
    }

    /** Where membership changes: the first of each range, and what follows its last. */
    List<Integer> borders() {
        List<Integer> borders = new ArrayList<>();
        ranges.forEach((from, to) -> {
            borders.add(from);
            borders.add(to + 1);
        });
        return borders;
    }

    /** One of these inside a JSON string; empty where nothing is offered. */
    String gbnf() {
        StringBuilder plain = new StringBuilder();
        minus(of(0, CONTROLS - 1, '"', '"', '\\', '\\')).ranges.forEach((from, to) -> {
            plain.append(symbol(from));
            if (to > from) {
                plain.append('-').append(symbol(to));
            }
        });
        List<String> parts = new ArrayList<>();
        if (!plain.isEmpty()) {
            parts.add("[" + plain + "]");
        }
        escapedOnes().forEach(c -> parts.add(Literals.quoted(Literals.jsonCharacter(c))));
        return parts.size() == 1 ? parts.getFirst() : parts.isEmpty() ? "" : "(" + String.join(" | ", parts) + ")";
    }

    private List<Integer> escapedOnes() {
        List<Integer> found = new ArrayList<>();
        for (int c = 0; c < CONTROLS; c++) {
            if (has(c)) {
                found.add(c);
            }
        }
        if (found.size() > MOST_CONTROLS) {
            found.removeIf(c -> c != '\t' && c != '\n' && c != '\r');
        }
        for (int c : new int[] {'"', '\\'}) {
            if (has(c)) {
                found.add(c);
            }
        }
        return found;
    }

    private static String symbol(int c) {
        boolean plain = c < 0x7F && Character.isLetterOrDigit(c);
        return plain ? Character.toString(c) : c < 0x80 ? "\\x%02X".formatted(c) : "\\U%08X".formatted(c);
    }
}
