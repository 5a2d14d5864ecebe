package ai.luciferai.llama.train;

import ai.luciferai.llama.report.HtmlPage;
import ai.luciferai.llama.report.LinePlot;
import ai.luciferai.llama.report.LinePlot.Line;
import ai.luciferai.llama.report.LinePlot.Look;
import ai.luciferai.llama.report.LinePlot.Point;
import ai.luciferai.llama.report.Measure;
import ai.luciferai.llama.report.Measure.Scale;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The report of a training as one HTML page with nothing outside it. */
public final class ReportPage {

    private static final Measure STEP = Measure.count("step");
    private static final Measure LOSS = Measure.from(0, "loss, logarithmic", "nats per token").withScale(Scale.LOG);
    private static final Measure RATE = Measure.from(0, "learning rate", "").withScale(Scale.FROM_ZERO);
    /** Of fewer losses one sees the course without help. */
    private static final int FEW = 10;
    /** Part of the training that a smoothed loss is a mean of. */
    private static final int PARTS = 20;
    private static final int SHORTEST_SPAN = 5;

    private ReportPage() {}

    /** The page: tables, curves of loss and learning rate, and the model card's text. */
    public static String html(String title, Map<String, String> settings, Map<String, String> results, List<Double> losses,
            List<Double> learningRates, List<Point> evaluations, String modelCard) {
        return HtmlPage.page(title, """
                <h2>Results</h2>%s<h2>Settings</h2>%s
                <h2>Loss</h2>%s<h2>Learning rate</h2>%s
                <h2>Model card</h2><pre>%s</pre>""".formatted(HtmlPage.pairs(results), HtmlPage.pairs(settings),
                new LinePlot(STEP, LOSS, note(losses), lines(losses, evaluations)).html(),
                new LinePlot(STEP, RATE, "", List.of(new Line("learning rate", Look.BOLD, points(learningRates)))).html(),
                HtmlPage.escape(modelCard)));
    }

    private static List<Line> lines(List<Double> losses, List<Point> evaluations) {
        var lines = new ArrayList<Line>();
        if (losses.size() < FEW) {
            lines.add(new Line("training", Look.BOLD, points(losses)));
        } else {
            lines.add(new Line("training", Look.THIN, points(losses)));
            lines.add(new Line("smoothed", Look.BOLD, points(smoothed(losses, span(losses)))));
        }
        if (!evaluations.isEmpty()) {
            lines.add(new Line("evaluation", Look.DOTTED, evaluations));
        }
        return lines;
    }

    private static String note(List<Double> losses) {
        return losses.size() < FEW ? "" : "(smoothed: a mean of about the last " + span(losses) + " steps)";
    }

    private static int span(List<Double> losses) {
        return Math.max(SHORTEST_SPAN, losses.size() / PARTS);
    }

    private static List<Point> points(List<Double> values) {
        return IntStream.range(0, values.size()).mapToObj(i -> new Point(i + 1.0, values.get(i))).toList();
    }

    /**
     * Means that forget: a value {@code span} steps ago counts about a seventh of the last one. The weights are counted along, so that the
     * first mean is the first value. What is not finite counts nothing.
     */
    static List<Double> smoothed(List<Double> values, int span) {
        double keep = 1 - 2.0 / (span + 1);
        double sum = 0;
        double weight = 0;
        var means = new ArrayList<Double>();
        for (double value : values) {
            if (Double.isFinite(value)) {
                sum = keep * sum + (1 - keep) * value;
                weight = keep * weight + (1 - keep);
            }
            means.add(weight > 0 ? sum / weight : Double.NaN);
        }
        return means;
    }
}
