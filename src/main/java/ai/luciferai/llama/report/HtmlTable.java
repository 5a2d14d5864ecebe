package ai.luciferai.llama.report;

import java.util.List;
import java.util.Locale;

/** A table with a head. Only texts and long names may go over several lines; a table that is wider than its page scrolls for itself. */
public final class HtmlTable {

    /** Letters that a name may have on one line. */
    private static final int LONG_NAME = 30;

    /** What a column holds. */
    public enum Kind { NAME, WORDS, TEXT, NUMBER }

    /** A column; its unit stands below its name. */
    public record Column(String name, String unit, Kind kind) {

        public static Column number(String name) {
            return number(name, "");
        }

        public static Column number(String name, String unit) {
            return new Column(name, unit, Kind.NUMBER);
        }

        /** Of names of models and files. */
        public static Column name(String name) {
            return new Column(name, "", Kind.NAME);
        }

        /** Of words that stay on one line. */
        public static Column words(String name) {
            return new Column(name, "", Kind.WORDS);
        }

        /** Of texts with their own line breaks, of any length. */
        public static Column text(String name) {
            return new Column(name, "", Kind.TEXT);
        }

        private String kindOf(String value) {
            return kind == Kind.NAME && value.length() > LONG_NAME ? "long" : kind.name().toLowerCase(Locale.ROOT);
        }
    }

    private final List<Column> columns;
    private final StringBuilder rows = new StringBuilder();

    public HtmlTable(List<Column> columns) {
        this.columns = List.copyOf(columns);
    }

    /** A row; where it is shorter than the table, its last cell takes the rest, as a text. */
    public HtmlTable row(List<String> values) {
        rows.append("<tr>");
        for (int i = 0; i < values.size(); i++) {
            boolean rest = i + 1 == values.size() && values.size() < columns.size();
            String kind = rest ? "text\" colspan=\"" + (columns.size() - i) : columns.get(i).kindOf(values.get(i));
            rows.append("<td class=\"").append(kind).append("\">").append(HtmlPage.escape(values.get(i))).append("</td>");
        }
        rows.append("</tr>\n");
        return this;
    }

    public String html() {
        var html = new StringBuilder("<div class=\"scroll\"><table><thead><tr>");
        for (Column column : columns) {
            html.append("<th scope=\"col\" class=\"").append(column.kindOf("")).append("\">").append(HtmlPage.escape(column.name))
                    .append(column.unit.isEmpty() ? "" : "<small>" + HtmlPage.escape(column.unit) + "</small>").append("</th>");
        }
        return html.append("</tr></thead><tbody>\n").append(rows).append("</tbody></table></div>\n").toString();
    }
}
