package ai.luciferai.llama.report;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/** What the pages have in common. Texts are escaped here, bodies are HTML. */
public final class HtmlPage {

    private static final int WIDTH = 720;
    private static final int HEIGHT = 320;
    private static final int MARGIN = 56;
    /** Part of the range that stays free at the ends of an axis. */
    private static final double AIR = 0.08;

    /** A named point of a {@link #scatter plot}. */
    public record Point(String name, double x, double y) {}

    private HtmlPage() {}

    /** A whole page. */
    public static String page(String title, String body) {
        return """
                <!DOCTYPE html>
                <html lang="en"><head><meta charset="utf-8"><title>%1$s</title><style>
                body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2em auto;padding:0 1em;color:#222}
                table{border-collapse:collapse;margin:0 0 1.5em}td,th{padding:.2em 1em .2em 0;vertical-align:top;text-align:left}
                td:first-child{color:#666}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
                svg{width:100%%;height:auto}pre{background:#f5f5f5;padding:1em;overflow:auto}
                </style></head><body><h1>%1$s</h1>
                %2$s</body></html>
                """.formatted(escape(title), body);
    }

    /** Names and values. */
    public static String table(Map<String, String> rows) {
        var html = new StringBuilder("<table>");
        rows.forEach((name, value) -> html.append("<tr><td>").append(escape(name)).append("</td><td>").append(escape(value))
                .append("</td></tr>"));
        return html.append("</table>").toString();
    }

    /** A table with a head; all columns but the first {@code texts} are numbers. */
    public static String table(List<String> head, List<List<String>> rows, int texts) {
        return "<table>" + row("th", head, texts) + rows.stream().map(row -> row("td", row, texts)).collect(Collectors.joining()) + "</table>";
    }

    private static String row(String cell, List<String> values, int texts) {
        var html = new StringBuilder("<tr>");
        for (int i = 0; i < values.size(); i++) {
            html.append('<').append(cell).append(i < texts ? ">" : " class=\"number\">").append(escape(values.get(i))).append("</")
                    .append(cell).append('>');
        }
        return html.append("</tr>\n").toString();
    }

    /** Dots with their names beside them. */
    public static String scatter(List<Point> points, String xLabel, String yLabel) {
        Axis x = Axis.of(points.stream().map(Point::x).toList(), MARGIN, WIDTH - MARGIN);
        Axis y = Axis.of(points.stream().map(Point::y).toList(), HEIGHT - MARGIN, MARGIN / 2.0);
        var html = new StringBuilder("<svg viewBox=\"0 0 %d %d\" role=\"img\" font-size=\"12\">".formatted(WIDTH, HEIGHT));
        html.append(line(MARGIN, HEIGHT - MARGIN, WIDTH, HEIGHT - MARGIN)).append(line(MARGIN, 0, MARGIN, HEIGHT - MARGIN));
        x.ticks().forEach(tick -> html.append(text(x.at(tick), HEIGHT - MARGIN + 16, "middle", x.text(tick))));
        y.ticks().forEach(tick -> html.append(text(MARGIN - 6, y.at(tick) + 4, "end", y.text(tick))));
        html.append(text(WIDTH, HEIGHT - 14, "end", xLabel)).append(text(MARGIN + 6, 12, "start", yLabel));
        for (Point point : points) {
            html.append("<circle cx=\"%s\" cy=\"%s\" r=\"4\" fill=\"#27c\"/>".formatted(pixel(x.at(point.x)), pixel(y.at(point.y))));
            boolean right = x.at(point.x) > WIDTH * 0.7;
            html.append(text(x.at(point.x) + (right ? -8 : 8), y.at(point.y) + 4, right ? "end" : "start", point.name));
        }
        return html.append("</svg>\n").toString();
    }

    /** Values from {@code low} to {@code high} between two pixels. */
    private record Axis(double low, double high, double from, double to) {

        static Axis of(List<Double> values, double from, double to) {
            double low = values.stream().mapToDouble(Double::doubleValue).min().orElse(0);
            double high = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
            double air = high > low ? AIR * (high - low) : Math.max(Math.abs(high), 1) * AIR;
            return new Axis(low - air, high + air, from, to);
        }

        double at(double value) {
            return from + (value - low) / (high - low) * (to - from);
        }

        /** Round numbers, some four of them. */
        List<Double> ticks() {
            double step = step();
            long first = (long) Math.ceil(low / step);
            return LongStream.rangeClosed(first, (long) Math.floor(high / step)).mapToObj(i -> i * step).toList();
        }

        /** 1, 2 or 5 times a power of ten. */
        private double step() {
            double rough = (high - low) / 4;
            double power = Math.pow(10, Math.floor(Math.log10(rough)));
            return rough / power < 2 ? power : rough / power < 5 ? 2 * power : 5 * power;
        }

        String text(double tick) {
            return String.format(Locale.ROOT, "%." + Math.max(0, (int) -Math.floor(Math.log10(step()))) + "f", tick);
        }
    }

    private static String line(int x1, int y1, int x2, int y2) {
        return "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#999\"/>".formatted(x1, y1, x2, y2);
    }

    private static String text(double x, double y, String anchor, String text) {
        return "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>".formatted(pixel(x), pixel(y), anchor, escape(text));
    }

    private static String pixel(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    /** Text as HTML. */
    public static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
