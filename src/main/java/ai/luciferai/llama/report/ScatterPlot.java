package ai.luciferai.llama.report;

import ai.luciferai.llama.report.HtmlTable.Column;
import java.util.Arrays;
import java.util.List;

/**
 * Named dots.
 *
 * @param note what one must know to read it
 */
public record ScatterPlot(Measure x, Measure y, String note, List<Dot> dots) {

    private static final double RADIUS = 4.5;
    private static final double CAP = 4;
    private static final int FEWEST_SHARED = 6;

    /**
     * A dot.
     *
     * @param number    by which tables know it
     * @param reference whether the others are compared with it
     * @param error     half of its bar's height; 0 or not finite: no bar
     */
    public record Dot(int number, String name, boolean reference, double x, double y, double error) {

        private boolean finite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }

        private double bar() {
            return error > 0 && Double.isFinite(error) ? error : 0;
        }

        private Crowd.Span span() {
            return new Crowd.Span(y - bar(), y, y + bar());
        }
    }

    public ScatterPlot {
        dots = List.copyOf(dots);
    }

    /** As a figure of HTML. */
    public String html() {
        if (dots.stream().noneMatch(Dot::finite)) {
            return "<p>No finite values to draw.</p>\n";
        }
        List<Dot> finite = dots.stream().filter(Dot::finite).toList();
        Crowd crowd = Crowd.of(finite.stream().map(Dot::span).toList());
        boolean beyond = finite.stream().anyMatch(dot -> !crowd.holds(dot.y));
        return Frame.figure(HtmlPage.escape(note + (beyond ? " Arrows: beyond the axis, which shows the others." : "")),
                svg(Frame.Size.WIDE, finite, crowd), svg(Frame.Size.NARROW, finite, crowd), table());
    }

    private HtmlTable table() {
        var table = new HtmlTable(List.of(Column.number("number"), Column.name("name"), Column.number(x.name(), x.unit()), Column.number(y.name(), y.unit())));
        dots.forEach(dot -> table.row(List.of(String.valueOf(dot.number), dot.name, Numbers.text(dot.x), Numbers.text(dot.y, dot.error))));
        return table;
    }

    private String svg(Frame.Size size, List<Dot> finite, Crowd crowd) {
        var frame = new Frame(size, x, finite.stream().map(Dot::x).toList(), y, List.of(crowd.low(), crowd.high()));
        List<String> labels = labels(frame, finite, crowd, true);
        if (labels.contains("")) {
            labels = labels(frame, finite, crowd, false); // names took the room that others need for their numbers
        }
        for (int i = 0; i < finite.size(); i++) {
            Dot dot = finite.get(i);
            double atX = frame.x.at(dot.x);
            double atY = frame.y.at(dot.y);
            String shown = crowd.holds(dot.y) ? bar(frame, dot, atX) + marker(dot, atX, atY) : arrow(dot, atX, atY, dot.y > crowd.high());
            frame.hit(shown + labels.get(i)
                    + Frame.circle("target", atX, atY, 3 * RADIUS), Frame.circle("ring", atX, atY, 2 * RADIUS), values(dot));
        }
        return frame.svg();
    }

    /** The label of each dot, empty where there is no room for it. */
    private static List<String> labels(Frame frame, List<Dot> dots, Crowd crowd, boolean names) {
        var labels = new Labels(frame);
        for (Dot dot : dots) {
            double at = frame.x.at(dot.x);
            double bar = crowd.holds(dot.y) ? dot.bar() : 0;
            labels.keepFree(at - RADIUS, frame.y.at(dot.y) - RADIUS, at + RADIUS, frame.y.at(dot.y) + RADIUS);
            labels.keepFreeIfPossible(at - CAP, frame.y.at(dot.y + bar), at + CAP, frame.y.at(dot.y - bar));
        }
        int shared = sharedStart(dots);
        return dots.stream().map(dot -> labels.place(frame.x.at(dot.x), frame.y.at(dot.y), String.valueOf(dot.number),
                names ? shortened(dot.name, shared) + (crowd.holds(dot.y) ? "" : ": " + Numbers.text(dot.y)) : "")).toList();
    }

    /** Letters that all names begin with, where they are many, to the end of a word. Names in a drawing go on from there. */
    private static int sharedStart(List<Dot> dots) {
        String first = dots.getFirst().name;
        int shared = first.length();
        for (Dot dot : dots) {
            int mismatch = Arrays.mismatch(first.toCharArray(), dot.name.toCharArray());
            shared = mismatch < 0 ? shared : Math.min(shared, mismatch);
        }
        while (shared > 0 && "-_. ".indexOf(first.charAt(shared - 1)) < 0) {
            shared--;
        }
        return shared < FEWEST_SHARED || dots.size() < 2 ? 0 : shared;
    }

    private static String shortened(String name, int shared) {
        return shared == 0 ? name : "…" + name.substring(shared);
    }

    private String values(Dot dot) {
        return dot.number + " " + dot.name + ": " + Numbers.text(dot.x) + (x.unit().isEmpty() ? "" : " " + x.unit()) + ", " + y.name() + " "
                + Numbers.text(dot.y, dot.error) + (y.unit().isEmpty() ? "" : " " + y.unit());
    }

    private static String bar(Frame frame, Dot dot, double x) {
        if (dot.bar() == 0) {
            return "";
        }
        double high = frame.y.at(dot.y + dot.bar());
        double low = frame.y.at(dot.y - dot.bar());
        return Frame.line("bar", x, high, x, low) + Frame.line("bar", x - CAP, high, x + CAP, high) + Frame.line("bar", x - CAP, low, x + CAP, low);
    }

    /** At the end of the axis, pointing to where the value lies. */
    private static String arrow(Dot dot, double x, double end, boolean up) {
        double foot = end + (up ? 2 : -2) * RADIUS;
        return Frame.triangle(dot.reference ? "two" : "one", x - RADIUS, foot, x + RADIUS, foot, x, end);
    }

    /** The reference differs by shape too, for those who do not see its colour. */
    private static String marker(Dot dot, double x, double y) {
        return dot.reference ? Frame.rectangle("two", x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS) : Frame.circle("one", x, y, RADIUS);
    }
}
