package ai.luciferai.llama.report;

import static ai.luciferai.llama.report.Numbers.pixel;

import ai.luciferai.llama.report.HtmlTable.Column;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Values that change along the x axis.
 *
 * @param note what one must know to read it
 */
public record LinePlot(Measure x, Measure y, String note, List<Line> lines) {

    /** Most places that say their values when pointed at, and rows of the table. */
    private static final int MOST_ROWS = 200;
    private static final int MOST_DOTS = 200;
    private static final double DOT = 3.5;

    /** A value at a place. */
    public record Point(double x, double y) {}

    /** How a line looks; they differ by more than colour. */
    public enum Look { THIN, BOLD, DOTTED }

    /** One of the lines; where a value is not finite, it has a gap. */
    public record Line(String name, Look look, List<Point> points) {

        public Line {
            points = List.copyOf(points);
        }
    }

    public LinePlot {
        lines = List.copyOf(lines);
    }

    /** As a figure of HTML. */
    public String html() {
        if (points().noneMatch(point -> Double.isFinite(point.y))) {
            return "<p>No finite values to draw.</p>\n";
        }
        TreeMap<Double, List<String>> all = rows();
        TreeMap<Double, List<String>> some = thinned(all);
        return Frame.figure(legend(), svg(Frame.Size.WIDE, some), svg(Frame.Size.NARROW, some), table(some, all.size()));
    }

    private Stream<Point> points() {
        return lines.stream().flatMap(line -> line.points.stream());
    }

    /** Above the drawing, where it covers nothing. A line with the name of its axis needs none. */
    private String legend() {
        if (lines.size() == 1 && lines.getFirst().name.equals(y.name())) {
            return "";
        }
        return lines.stream().map(line -> "<span class=\"key\"><svg viewBox=\"0 0 28 10\" aria-hidden=\"true\"><path class=\"%1$s\" d=\"M1 5H27\"/>%2$s</svg> %3$s</span>"
                .formatted(kind(line), line.look == Look.DOTTED ? Frame.circle("two", 14, 5, DOT) : "", HtmlPage.escape(line.name)))
                .collect(Collectors.joining("\n", "", "\n" + HtmlPage.escape(note)));
    }

    private static String kind(Line line) {
        return line.look.name().toLowerCase(Locale.ROOT);
    }

    /** What each line has at each place. */
    private TreeMap<Double, List<String>> rows() {
        var rows = new TreeMap<Double, List<String>>();
        for (int i = 0; i < lines.size(); i++) {
            for (Point point : lines.get(i).points) {
                rows.computeIfAbsent(point.x, key -> new ArrayList<>(Collections.nCopies(lines.size(), ""))).set(i, Numbers.text(point.y));
            }
        }
        return rows;
    }

    /** Every so many rows, and those of dots. */
    private TreeMap<Double, List<String>> thinned(TreeMap<Double, List<String>> rows) {
        int every = (rows.size() + MOST_ROWS - 1) / MOST_ROWS;
        var kept = new TreeMap<Double, List<String>>();
        int i = 0;
        for (var row : rows.entrySet()) {
            if (++i % every == 0 || i == 1) {
                kept.put(row.getKey(), row.getValue());
            }
        }
        lines.stream().filter(line -> line.look == Look.DOTTED && line.points.size() <= MOST_DOTS).flatMap(line -> line.points.stream())
                .forEach(point -> kept.put(point.x, rows.get(point.x)));
        return kept;
    }

    private HtmlTable table(TreeMap<Double, List<String>> rows, int of) {
        var columns = new ArrayList<>(List.of(Column.number(x.name() + (rows.size() < of ? ", " + rows.size() + " of " + of : ""), x.unit())));
        lines.forEach(line -> columns.add(Column.number(line.name, y.unit())));
        var table = new HtmlTable(columns);
        rows.forEach((at, values) -> {
            var cells = new ArrayList<>(List.of(Numbers.text(at)));
            cells.addAll(values);
            table.row(cells);
        });
        return table;
    }

    private String svg(Frame.Size size, TreeMap<Double, List<String>> rows) {
        var frame = new Frame(size, x, points().map(Point::x).toList(), y, points().map(Point::y).toList());
        for (Line line : lines) {
            frame.add("<path class=\"%s\" d=\"%s\"/>".formatted(kind(line), path(frame, line.points)));
            if (line.look == Look.DOTTED && line.points.size() <= MOST_DOTS) {
                line.points.stream().filter(point -> Double.isFinite(point.y))
                        .forEach(point -> frame.add(Frame.circle("two", frame.x.at(point.x), frame.y.at(point.y), DOT)));
            }
        }
        for (double at : rows.keySet()) {
            Double before = rows.lowerKey(at);
            Double after = rows.higherKey(at);
            double from = before == null ? frame.left : (frame.x.at(before) + frame.x.at(at)) / 2;
            double to = after == null ? frame.right : (frame.x.at(after) + frame.x.at(at)) / 2;
            frame.hit(Frame.rectangle("target", from, frame.top, to - from, frame.bottom - frame.top),
                    Frame.line("cross", frame.x.at(at), frame.top, frame.x.at(at), frame.bottom), values(at, rows.get(at)));
        }
        return frame.svg();
    }

    private String values(double at, List<String> row) {
        var text = new StringBuilder(x.name() + " " + Numbers.text(at));
        for (int i = 0; i < lines.size(); i++) {
            if (!row.get(i).isEmpty()) {
                text.append(i == 0 ? ": " : ", ").append(lines.get(i).name).append(' ').append(row.get(i));
            }
        }
        return text.toString();
    }

    /** A pen's way; of the points that share a column of pixels, the ones that can be seen. */
    private static String path(Frame frame, List<Point> points) {
        var path = new StringBuilder();
        int i = 0;
        while (i < points.size()) {
            int end = i;
            while (end < points.size() && Double.isFinite(points.get(end).y)) {
                end++;
            }
            if (end > i) {
                List<Point> shown = seen(frame, points.subList(i, end));
                for (int k = 0; k < shown.size(); k++) {
                    path.append(k == 0 ? 'M' : 'L').append(pixel(frame.x.at(shown.get(k).x))).append(' ').append(pixel(frame.y.at(shown.get(k).y)));
                }
                path.append(shown.size() == 1 ? "h0" : ""); // a round end to a line of no length: a point among gaps shows too
            }
            i = Math.max(end, i + 1);
        }
        return path.toString();
    }

    private static List<Point> seen(Frame frame, List<Point> run) {
        var seen = new ArrayList<Point>();
        int i = 0;
        while (i < run.size()) {
            int first = i;
            int least = i;
            int most = i;
            for (; i < run.size() && (int) frame.x.at(run.get(i).x) == (int) frame.x.at(run.get(first).x); i++) {
                least = run.get(i).y < run.get(least).y ? i : least;
                most = run.get(i).y > run.get(most).y ? i : most;
            }
            IntStream.of(first, Math.min(least, most), Math.max(least, most), i - 1).distinct().mapToObj(run::get).forEach(seen::add);
        }
        return seen;
    }
}
