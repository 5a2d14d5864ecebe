package ai.luciferai.llama.convert;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether a chat template is whole: its tags, strings and brackets close, and its blocks end as they began. A file that was cut short or
 * edited by hand fails here; what an expression means is for the engine that renders it, which is not at hand in a conversion.
 */
final class JinjaBlocks {

    /** Blocks and what may divide them. */
    private static final Map<String, Set<String>> BLOCKS = Map.of("if", Set.of("elif", "else"), "for", Set.of("else"), "macro", Set.of(), "call", Set.of(),
            "filter", Set.of(), "set", Set.of(), "generation", Set.of());
    private static final Set<String> DIVIDERS = Set.of("elif", "else");
    private static final String END = "end";
    private static final Pattern END_OF_RAW = Pattern.compile("\\{%[-+]?\\s*endraw\\s*[-+]?%}");

    private record Open(String name, int line) {}

    private final String text;
    private final Deque<Open> blocks = new ArrayDeque<>();
    private int at;

    private JinjaBlocks(String text) {
        this.text = text;
    }

    /** What is wrong with a template, and in which line; null: nothing that shows. */
    static String fault(String template) {
        return new JinjaBlocks(template).fault();
    }

    private String fault() {
        for (at = text.indexOf('{'); at >= 0 && at + 1 < text.length(); at = text.indexOf('{', at)) {
            String fault = switch (text.charAt(at + 1)) {
                case '#' -> comment();
                case '{' -> tag("}}");
                case '%' -> tag("%}");
                default -> {
                    at++;
                    yield null;
                }
            };
            if (fault != null) {
                return fault;
            }
        }
        return blocks.isEmpty() ? null : "line " + blocks.peek().line + ": {% " + blocks.peek().name + " %} that nothing ends";
    }

    private int line(int place) {
        return (int) text.substring(0, place).chars().filter(c -> c == '\n').count() + 1;
    }

    private String comment() {
        int end = text.indexOf("#}", at + 2);
        if (end < 0) {
            return "line " + line(at) + ": a comment {# that does not close";
        }
        at = end + 2;
        return null;
    }

    /** Goes behind a tag; strings may hold what would end it, and so may a map's own brackets. */
    private String tag(String end) {
        int start = at;
        int depth = 0;
        boolean assigns = false;
        for (at += 2; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '\'' || c == '"') {
                if (!string(c)) {
                    return "line " + line(at) + ": a string that does not close";
                }
            } else if (depth == 0 && text.startsWith(end, at)) {
                at += 2;
                return end.equals("%}") ? statement(start, assigns) : null;
            } else {
                depth += "([{".indexOf(c) >= 0 ? 1 : ")]}".indexOf(c) >= 0 ? -1 : 0;
                assigns |= c == '=';
                if (depth < 0) {
                    return "line " + line(at) + ": a " + c + " that nothing opened";
                }
            }
        }
        at = start;
        return "line " + line(start) + ": a " + text.substring(start, start + 2) + " that does not close";
    }

    /** Goes to the end of a string; whether there is one. */
    private boolean string(char quote) {
        int start = at;
        for (int i = at + 1; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                i++;
            } else if (text.charAt(i) == quote) {
                at = i;
                return true;
            }
        }
        at = start;
        return false;
    }

    private String statement(int start, boolean assigns) {
        String name = text.substring(start + 2, at - 2).replaceFirst("^[-+]", "").strip().split("[^A-Za-z_]", 2)[0];
        String place = "line " + line(start) + ": {% " + name + " %} ";
        if (name.equals("raw")) {
            return raw(start);
        }
        if (BLOCKS.containsKey(name) && !(name.equals("set") && assigns)) {
            blocks.push(new Open(name, line(start)));
        } else if (DIVIDERS.contains(name)) {
            return blocks.isEmpty() || !BLOCKS.get(blocks.peek().name).contains(name) ? place + "in no block that has it" : null;
        } else if (name.startsWith(END) && BLOCKS.containsKey(name.substring(END.length()))) {
            return blocks.isEmpty() || !blocks.pop().name.equals(name.substring(END.length())) ? place + "where another block or none is open" : null;
        }
        return null;
    }

    private String raw(int start) {
        Matcher end = END_OF_RAW.matcher(text);
        if (!end.find(at)) {
            return "line " + line(start) + ": {% raw %} that nothing ends";
        }
        at = end.end();
        return null;
    }
}
