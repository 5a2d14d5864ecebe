package ai.luciferai.llama.report;

import static ai.luciferai.llama.report.Numbers.pixel;

import ai.luciferai.llama.report.Axis.Tick;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** The two axes of a drawing with their names, ticks and grid; then what is put between them. */
final class Frame {

    /** Each drawing is made twice; the page shows the one that fits, so that letters keep their size. */
    enum Size {
        WIDE(840, 340, 1), NARROW(380, 314, 2);

        final int width;
        final int height;
        /** Above the drawing, for its name and for the values of what is pointed at. */
        final int lines;

        Size(int width, int height, int lines) {
            this.width = width;
            this.height = height;
            this.lines = lines;
        }
    }

    private static final int TOP = 14;
    private static final int LINE = 14;
    private static final int BOTTOM = 44;
    private static final int RIGHT = 12;
    /** Pixels that a tick asks for. */
    private static final int X_TICK = 80;
    private static final int Y_TICK = 44;
    private static final int FEWEST_TICKS = 4;

    final Size size;
    final Axis x;
    final Axis y;
    final double left;
    final double right;
    final double top;
    final double bottom;
    private final StringBuilder svg = new StringBuilder();

    Frame(Size size, Measure xMeasure, Collection<Double> xs, Measure yMeasure, Collection<Double> ys) {
        this.size = size;
        this.right = size.width - RIGHT;
        this.top = TOP + size.lines * LINE;
        this.bottom = size.height - BOTTOM;
        this.y = Axis.of(yMeasure, ys, bottom, top);
        List<Tick> yTicks = y.ticks(ticks(bottom - top, Y_TICK));
        this.left = yTicks.stream().mapToDouble(tick -> Letters.width(tick.text())).max().orElse(0) + 12;
        this.x = Axis.of(xMeasure, xs, left, right);
        svg.append("<svg class=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">".formatted(size.name().toLowerCase(Locale.ROOT),
                size.width, size.height, HtmlPage.escape(yMeasure.label() + " against " + xMeasure.label() + "; the values are in the table that follows")));
        yTicks.forEach(tick -> add(line("grid", left, y.at(tick.value()), right, y.at(tick.value())))
                .add(text("tick", left - 6, y.at(tick.value()) + 4, "end", tick.text())));
        for (Tick tick : x.ticks(ticks(right - left, X_TICK))) {
            double at = x.at(tick.value());
            double half = Letters.width(tick.text()) / 2;
            add(line("axis", at, bottom, at, bottom + 4)).add(text("tick", Math.min(at, size.width - half), bottom + 17, "middle", tick.text()));
        }
        add(line("axis", left, bottom, right, bottom)).add(line("axis", left, top, left, bottom));
        add(text("label", 2, 14, "start", Letters.fit(yMeasure.label(), size.width - 4)));
        add(text("label", right, size.height - 6, "end", Letters.fit(xMeasure.label(), size.width - 4)));
    }

    private static int ticks(double length, int each) {
        return Math.max(FEWEST_TICKS, (int) (length / each));
    }

    Frame add(String element) {
        svg.append(element).append('\n');
        return this;
    }

    /** Something that says its values when pointed at: in the line above the drawing, and as browsers show titles. */
    Frame hit(String shown, String pointed, String values) {
        return add("<g class=\"hit\">" + shown + "<g class=\"mark\">" + pointed + rectangle("plate", 0, 0, size.width, top - 8) + reading(values)
                + "</g><title>" + HtmlPage.escape(values) + "</title></g>");
    }

    private String reading(String values) {
        var html = new StringBuilder();
        String rest = values;
        for (int line = 1; line < size.lines && Letters.width(rest) > size.width - 4; line++) {
            int comma = rest.lastIndexOf(", ");
            while (comma > 0 && Letters.width(rest.substring(0, comma + 1)) > size.width - 4) {
                comma = rest.lastIndexOf(", ", comma - 1);
            }
            html.append(comma > 0 ? text("read", 2, line * LINE, "start", rest.substring(0, comma + 1)) : "");
            rest = comma > 0 ? rest.substring(comma + 2) : rest;
        }
        return html + text("read", 2, (html.isEmpty() ? 1 : size.lines) * LINE, "start", Letters.fit(rest, size.width - 4));
    }

    String svg() {
        return svg + "</svg>";
    }

    static String line(String kind, double x1, double y1, double x2, double y2) {
        return "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>".formatted(kind, pixel(x1), pixel(y1), pixel(x2), pixel(y2));
    }

    static String rectangle(String kind, double x, double y, double width, double height) {
        return "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>".formatted(kind, pixel(x), pixel(y), pixel(width), pixel(height));
    }

    static String circle(String kind, double x, double y, double radius) {
        return "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"%s\"/>".formatted(kind, pixel(x), pixel(y), pixel(radius));
    }

    static String triangle(String kind, double x1, double y1, double x2, double y2, double x3, double y3) {
        return "<polygon class=\"%s\" points=\"%s,%s %s,%s %s,%s\"/>".formatted(kind, pixel(x1), pixel(y1), pixel(x2), pixel(y2), pixel(x3), pixel(y3));
    }

    static String text(String kind, double x, double y, String anchor, String text) {
        return "<text class=\"%s\" x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>".formatted(kind, pixel(x), pixel(y), anchor, HtmlPage.escape(text));
    }

    /** A drawing in both sizes, with a note above and its values below. */
    static String figure(String note, String wide, String narrow, HtmlTable values) {
        return "<figure>" + (note.isEmpty() ? "" : "<figcaption>" + note + "</figcaption>") + "\n" + wide + "\n" + narrow
                + "\n<details><summary>values</summary>" + values.html() + "</details></figure>\n";
    }
}
