package ai.luciferai.llama.cli;

import java.util.ArrayList;
import java.util.List;

/** The {@code --help} of a verb. */
final class HelpText {

    private static final int COLUMN = 32;
    private static final int WIDTH = 110;

    private HelpText() {}

    static String of(Syntax syntax) {
        var out = new StringBuilder("Usage: lucifer-llama ").append(syntax.verb()).append(" [options]");
        if (!syntax.operands().isEmpty()) {
            out.append(' ').append(syntax.operands());
        }
        out.append("\n\n").append(syntax.summary()).append('\n');
        String group = "";
        for (Syntax.Option option : syntax.options()) {
            if (!option.group().equals(group)) {
                group = option.group();
                out.append('\n').append(group).append(":\n");
            }
            line(out, option);
        }
        for (String note : syntax.notes()) {
            out.append('\n').append(note).append('\n');
        }
        return out.toString();
    }

    private static void line(StringBuilder out, Syntax.Option option) {
        var names = new ArrayList<>(option.names());
        names.addAll(option.opposites());
        String left = "  " + String.join(", ", names);
        if (!option.parameter().isEmpty()) {
            left += option.kind() == Syntax.Kind.OPTIONAL ? " [" + option.parameter() + "]" : " " + option.parameter();
        }
        String right = option.help() + (option.fallback() == null ? "" : " (default: " + option.fallback() + ")");
        entry(out, left, right);
    }

    /** Two columns; the left one gets a line for itself when it is too long. */
    static void entry(StringBuilder out, String left, String right) {
        out.append(left);
        int at = left.length();
        if (at > COLUMN - 2) {
            out.append('\n');
            at = 0;
        }
        for (String line : wrap(right, WIDTH - COLUMN)) {
            out.repeat(' ', COLUMN - at).append(line).append('\n');
            at = 0;
        }
    }

    private static List<String> wrap(String text, int width) {
        var lines = new ArrayList<String>();
        var line = new StringBuilder();
        for (String word : text.split(" ")) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }
}
