package ai.luciferai.llama.train;

import ai.luciferai.llama.report.HtmlPage;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** The report of a training as one HTML page with nothing outside it. */
public final class ReportPage {

    private static final int WIDTH = 720;
    private static final int HEIGHT = 240;
    private static final int MARGIN = 48;

    /** A value after so many steps. */
    public record Point(double x, double y) {}

    private ReportPage() {}

    /** The page: tables, curves of loss and learning rate, and the model card's text. */
    public static String html(String title, Map<String, String> settings, Map<String, String> results, List<Double> losses,
            List<Double> learningRates, List<Point> evaluations, String modelCard) {
        return HtmlPage.page(title, """
                <h2>Results</h2>%s<h2>Settings</h2>%s
                <h2>Loss</h2>%s<h2>Learning rate</h2>%s
                <h2>Model card</h2><pre>%s</pre>""".formatted(HtmlPage.table(results), HtmlPage.table(settings),
                chart(points(losses), evaluations), chart(points(learningRates), List.of()), HtmlPage.escape(modelCard)));
    }

    private static List<Point> points(List<Double> values) {
        return IntStream.range(0, values.size()).filter(i -> Double.isFinite(values.get(i)))
                .mapToObj(i -> new Point(i + 1.0, values.get(i))).toList();
    }

    /** A line, and dots on it for evaluations. */
    private static String chart(List<Point> line, List<Point> dots) {
        if (line.isEmpty()) {
            return "<p>no data</p>";
        }
        double maxX = Math.max(1, line.getLast().x());
        double maxY = java.util.stream.Stream.concat(line.stream(), dots.stream()).mapToDouble(Point::y).max().orElse(1);
        double scaleY = maxY > 0 ? (HEIGHT - 2.0 * MARGIN / 2) / maxY : 1;
        var path = new StringBuilder();
        line.forEach(p -> path.append(path.isEmpty() ? "M" : "L").append(at(p, maxX, scaleY)));
        var marks = new StringBuilder();
        dots.forEach(p -> {
            String[] xy = at(p, maxX, scaleY).split(" ");
            marks.append("<circle cx=\"%s\" cy=\"%s\" r=\"4\" fill=\"#d33\"/>".formatted(xy[0], xy[1]));
        });
        return """
                <svg viewBox="0 0 %d %d" role="img"><line x1="%3$d" y1="%4$d" x2="%5$d" y2="%4$d" stroke="#999"/>\
                <line x1="%3$d" y1="0" x2="%3$d" y2="%4$d" stroke="#999"/><path d="%6$s" fill="none" stroke="#27c" stroke-width="1.5"/>%7$s\
                <text x="0" y="14" font-size="12">%8$s</text><text x="%5$d" y="%9$d" font-size="12" text-anchor="end">step %10$d</text></svg>
                """.formatted(WIDTH, HEIGHT, MARGIN, HEIGHT - MARGIN / 2, WIDTH, path, marks, String.format(Locale.ROOT, "%.3g", maxY),
                HEIGHT - 6, (int) maxX);
    }

    private static String at(Point p, double maxX, double scaleY) {
        return String.format(Locale.ROOT, "%.1f %.1f", MARGIN + p.x() / maxX * (WIDTH - MARGIN), HEIGHT - MARGIN / 2.0 - p.y() * scaleY);
    }
}
