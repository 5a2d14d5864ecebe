package ai.luciferai.llama.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.report.LinePlot.Line;
import ai.luciferai.llama.report.LinePlot.Look;
import ai.luciferai.llama.report.LinePlot.Point;
import ai.luciferai.llama.report.Measure.Scale;
import ai.luciferai.llama.report.ScatterPlot.Dot;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

/** Drawings: nothing outside of what is possible, nothing on top of something else, whatever the values. */
class PlotTest {

    private static final Measure SIZE = Measure.from(0, "size", "MiB");
    private static final Measure PERPLEXITY = Measure.from(1, "perplexity", "");
    private static final Measure LOSS = Measure.from(0, "loss", "nats").withScale(Scale.LOG);
    private static final double[] AWKWARD = {0, -0.0, 1, 1e-12, 3, 100, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.MAX_VALUE,
        -Double.MAX_VALUE, Double.MIN_VALUE, 1e16, 1e16 + 2, 12345678, 1e-5};

    private static String scatter(Measure y, double... values) {
        return new ScatterPlot(SIZE, y, "", IntStream.range(0, values.length).mapToObj(i -> new Dot(i + 1, "model", i == 0, 1000 + 700 * i, values[i], 0))
                .toList()).html();
    }

    private static Line line(Look look, double... values) {
        return new Line(look.name(), look, IntStream.range(0, values.length).mapToObj(i -> new Point(i + 1, values[i])).toList());
    }

    private static String lines(Measure y, Line... lines) {
        return new LinePlot(Measure.count("step"), y, "", List.of(lines)).html();
    }

    private static void between(double least, double most, double[] ticks) {
        assertTrue(ticks.length >= 2, Arrays.toString(ticks));
        assertTrue(Arrays.stream(ticks).allMatch(tick -> tick >= least && tick <= most), Arrays.toString(ticks));
    }

    @Test
    void sharesAreNeverAboveAHundredPercent() {
        for (double[] values : List.of(new double[] {100, 100}, new double[] {93, 100}, new double[] {0, 0}, new double[] {0, 100}, new double[] {99.9, 100})) {
            for (Drawing drawing : Drawing.of(scatter(Measure.share("exact"), values))) {
                between(0, 100, drawing.ticks("end"));
                drawing.check();
            }
        }
    }

    @Test
    void axesAndBarsEndWhereThePossibleDoes() {
        var dots = List.of(new Dot(1, "good", false, 0.001, 1.01, 0.5), new Dot(2, "bad", true, 9, 1.4, 3));
        for (Drawing drawing : Drawing.of(new ScatterPlot(SIZE, PERPLEXITY, "", dots).html())) {
            between(1, 10, drawing.ticks("end"));
            between(0, 100, drawing.ticks("middle"));
            assertEquals(2 * 3, drawing.all("line", "bar").size());
            assertTrue(drawing.all("line", "bar").stream().allMatch(bar -> Drawing.number(bar, "y2") <= drawing.inside().bottom()));
            drawing.check();
        }
        for (Drawing drawing : Drawing.of(scatter(PERPLEXITY, 1.5, 100))) {
            between(1, 108, drawing.ticks("end"));
        }
        for (Drawing drawing : Drawing.of(scatter(Measure.from(0, "KL divergence", "nats"), 0, -1e-9, 0.002))) {
            between(0, 1, drawing.ticks("end"));
        }
    }

    /** One that is far from the others does not press them into a line: it stands at the end of the axis as an arrow with its value. */
    @Test
    void oneBadModelDoesNotFlattenTheOthers() {
        for (double[] values : new double[][] {{11.9, 12.1, 12.4, 4000}, {99, 97, 98, 2}, {11.9, 12.1, 12.4, 12.2, 4000, 90_000}}) {
            double[] good = Arrays.stream(values).filter(v -> values[0] / 2 < v && v < 2 * values[0]).toArray();
            for (Drawing drawing : Drawing.of(scatter(PERPLEXITY, values))) {
                between(Arrays.stream(good).min().orElseThrow() - 1, Arrays.stream(good).max().orElseThrow() + 1, drawing.ticks("end"));
                assertEquals(values.length - good.length, drawing.all("polygon", "one").size());
                Drawing.Box inside = drawing.inside();
                for (Element arrow : drawing.all("polygon", "one")) {
                    for (String point : arrow.getAttribute("points").split(" ")) {
                        double y = Double.parseDouble(point.split(",")[1]);
                        assertTrue(y >= inside.top() && y <= inside.bottom(), point);
                    }
                }
                drawing.check();
            }
        }
        String html = scatter(PERPLEXITY, 11.9, 12.1, 12.4, 4000);
        assertTrue(html.contains("Arrows: beyond the axis") && html.contains(": 4000</text>"), html);
        // no majority, nothing that would show, or differences that show as they are
        for (double[] values : new double[][] {{12, 4000}, {12, 12, 4000}, {12, 13, 4000, 4001}, {0, 0.0003, 0.002, 0.033}, {12, 13, 20}}) {
            assertFalse(scatter(PERPLEXITY, values).contains("polygon"), Arrays.toString(values));
        }
    }

    @Test
    void barsAreOneErrorUpAndDown() {
        Drawing drawing = Drawing.of(new ScatterPlot(SIZE, PERPLEXITY, "", List.of(new Dot(1, "a", false, 1, 12, 2), new Dot(2, "b", false, 2, 20, 0))).html())
                .getFirst();
        Element bar = drawing.all("line", "bar").getFirst();
        double[] ticks = drawing.ticks("end");
        List<Element> grid = drawing.all("line", "grid");
        double each = (Drawing.number(grid.getFirst(), "y1") - Drawing.number(grid.getLast(), "y1")) / (ticks[ticks.length - 1] - ticks[0]);
        assertEquals(4 * each, Drawing.number(bar, "y2") - Drawing.number(bar, "y1"), 0.2);
        assertEquals(3, drawing.all("line", "bar").size()); // none where there is no error
    }

    @Test
    void evenTicksAreRoundNumbersWithOneStep() {
        var random = new Random(7);
        for (int i = 0; i < 40; i++) {
            double low = random.nextDouble() * Math.pow(10, random.nextInt(-8, 9));
            for (Drawing drawing : Drawing.of(scatter(Measure.from(0, "y", ""), low, low * (1 + Math.pow(10, random.nextInt(-5, 3)))))) {
                double[] ticks = drawing.ticks("end");
                between(0, Double.MAX_VALUE, ticks);
                BigDecimal step = BigDecimal.valueOf(ticks[1]).subtract(BigDecimal.valueOf(ticks[0]));
                assertTrue(List.of(1L, 2L, 5L).contains(step.stripTrailingZeros().unscaledValue().longValue()), Arrays.toString(ticks));
                assertTrue(ticks[1] < 1 || step.remainder(BigDecimal.ONE).signum() != 0 || drawing.all("text", "tick").stream()
                        .filter(e -> e.getAttribute("text-anchor").equals("end")).noneMatch(e -> e.getTextContent().endsWith(".0")), Arrays.toString(ticks));
                assertEquals(ticks[ticks.length - 1] - ticks[0], step.doubleValue() * (ticks.length - 1), 1e-9 * ticks[1]);
                drawing.check();
            }
        }
    }

    @Test
    void stepsAreWholeNumbersFromZeroToTheLast() {
        for (int steps : new int[] {1, 2, 3, 7, 100, 1252}) {
            for (Drawing drawing : Drawing.of(lines(LOSS, line(Look.BOLD, DoubleStream.iterate(3, v -> 0.99 * v).limit(steps).toArray())))) {
                double[] ticks = drawing.ticks("middle");
                between(0, steps, ticks);
                assertTrue(Arrays.stream(ticks).allMatch(tick -> tick == Math.rint(tick)), Arrays.toString(ticks));
            }
        }
    }

    @Test
    void equalRatiosOfLossesAreEqualDistances() {
        Drawing drawing = Drawing.of(lines(LOSS, line(Look.BOLD, 8, 4, 2, 1, 0.5, 0.01))).getFirst();
        List<double[]> points = drawing.marks().subList(drawing.marks().size() - 6, drawing.marks().size());
        double half = points.get(1)[1] - points.get(0)[1];
        assertTrue(half > 5);
        for (int i = 2; i < 5; i++) {
            assertEquals(half, points.get(i)[1] - points.get(i - 1)[1], 0.2);
        }
        assertEquals(half * Math.log(50) / Math.log(2), points.get(5)[1] - points.get(4)[1], 0.6);
    }

    @Test
    void lossesOfZeroAndGapsAreShownAsFarAsTheyCanBe() {
        String html = lines(LOSS, line(Look.BOLD, 2, 0, Double.NaN, 1, Double.NaN, 0.5), line(Look.DOTTED, 1, 1));
        for (Drawing drawing : Drawing.of(html)) {
            drawing.check();
            assertEquals("M", drawing.all("path", "bold").getFirst().getAttribute("d").replaceAll("[^M]", "").substring(2));
        }
        assertTrue(html.contains(">not a number<"), html);
    }

    @Test
    void logarithmicTicksKeepApartOverAnyRange() {
        for (double ratio = 1; ratio < 1e140; ratio *= ratio < 1e6 ? 1.7 : 1e9) {
            for (Drawing drawing : Drawing.of(lines(LOSS, line(Look.BOLD, 1e-3, 1e-3 * ratio)))) {
                between(0, Double.MAX_VALUE, drawing.ticks("end"));
                List<Element> labels = drawing.all("text", "tick").stream().filter(e -> e.getAttribute("text-anchor").equals("end")).toList();
                for (int i = 1; i < labels.size(); i++) {
                    assertTrue(Drawing.number(labels.get(i - 1), "y") - Drawing.number(labels.get(i), "y") > 12, drawing.svg()::getTextContent);
                }
                drawing.check();
            }
        }
    }

    @Test
    void anyTwoValuesCanBeDrawn() {
        for (double a : AWKWARD) {
            for (double b : new double[] {0, 1, 1e16, Double.MAX_VALUE, Double.NaN}) {
                for (Measure measure : List.of(PERPLEXITY, LOSS, Measure.share("%"))) {
                    Drawing.of(scatter(measure, a, b)).forEach(Drawing::check);
                }
                Drawing.of(lines(LOSS, line(Look.THIN, a, b), line(Look.DOTTED, b))).forEach(Drawing::check);
                Drawing.of(lines(SIZE.withScale(Scale.FROM_ZERO), line(Look.BOLD, a, b))).forEach(Drawing::check);
                Drawing.of(new ScatterPlot(SIZE, SIZE, "", List.of(new Dot(1, "a", true, a, 3, b), new Dot(2, "b", false, b, 4, a))).html())
                        .forEach(Drawing::check);
            }
        }
    }

    @Test
    void nothingToDrawIsSaid() {
        for (String html : List.of(scatter(SIZE), scatter(SIZE, Double.NaN), lines(LOSS), lines(LOSS, line(Look.BOLD)), lines(LOSS, line(Look.BOLD, Double.NaN)))) {
            assertTrue(html.contains("No finite values"), html);
            assertFalse(html.contains("<svg"), html);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-q8_0", "<script>alert(\"1\" & '2')</script>", "A very long name of a model that somebody merged out of 4 others Q4_K_M",
        "中文模型中文模型中文模型中文模型中文模型中文模型", "\u0000\u001b[31m\ud800 \ufffe \u202e 🦙🦙🦙🦙🦙🦙🦙🦙🦙🦙🦙🦙🦙🦙", ""})
    void namesAreTextOfAnyLength(String name) {
        var random = new Random(3);
        var dots = new ArrayList<Dot>();
        for (int i = 0; i < 24; i++) {
            dots.add(new Dot(i + 1, name, i == 0, random.nextInt(30), random.nextInt(40), i % 4));
        }
        String html = new ScatterPlot(SIZE, Measure.from(0, name, name), name, dots).html();
        List<Drawing> drawings = Drawing.of(html);
        assertEquals(2, drawings.size());
        assertFalse(html.contains("<script"), html);
        for (Drawing drawing : drawings) {
            drawing.check();
            assertTrue(drawing.all("text", "name").size() >= dots.size() * 3 / 4, () -> "names of " + drawing.all("text", "name").size());
            assertNothingIsCovered(drawing);
        }
    }

    @Test
    void eachDotOfAnEvaluationHasItsNumber() {
        double[] sizes = {5.03, 1.07, 1.33, 1.58, 1.52, 1.83, 2.69};
        double[] divergences = {0, 0.027702, 0.00658, 0.002841, 0.002822, 0.001084, 0.000099};
        for (double[] values : List.of(divergences, new double[] {11.98, 11.63, 12.06, 11.99, 12.03, 11.96, 12})) {
            for (Drawing drawing : Drawing.of(new ScatterPlot(SIZE, SIZE, "", IntStream.range(0, 7)
                    .mapToObj(i -> new Dot(i + 1, "tiny-q" + i + "_k_m", i == 0, sizes[i], values[i], values[i] > 1 ? 1.5 : 0.1 * values[i])).toList()).html())) {
                List<String> names = drawing.all("text", "name").stream().map(Element::getTextContent).map(text -> text.split(" ")[0]).sorted().toList();
                assertEquals(List.of("1", "2", "3", "4", "5", "6", "7"), names);
                assertNothingIsCovered(drawing);
            }
        }
    }

    private static void assertNothingIsCovered(Drawing drawing) {
        List<Element> names = drawing.all("text", "name");
        for (int i = 0; i < names.size(); i++) {
            Drawing.Box name = Drawing.box(names.get(i));
            for (Element other : names.subList(0, i)) {
                assertFalse(name.meets(Drawing.box(other)), () -> name + ": " + drawing.svg().getTextContent());
            }
            for (Element dot : drawing.all("circle", "one")) {
                double x = Drawing.number(dot, "cx");
                double y = Drawing.number(dot, "cy");
                assertFalse(name.meets(new Drawing.Box(x - 3, y - 3, x + 3, y + 3)), () -> name + ": " + drawing.svg().getTextContent());
            }
        }
    }

    @Test
    void everyValueIsSaidWhenPointedAtAndInTheTable() {
        String html = lines(LOSS, line(Look.THIN, 2.5, 1.25, 0.625), line(Look.DOTTED, Double.NaN, 1.75));
        for (Drawing drawing : Drawing.of(html)) {
            List<String> titles = drawing.all("title", "").stream().map(Element::getTextContent).toList();
            assertEquals(List.of("step 1: THIN 2.5, DOTTED not a number", "step 2: THIN 1.25, DOTTED 1.75", "step 3: THIN 0.625"), titles);
            assertEquals(drawing.width() - 12, drawing.all("rect", "target").stream().mapToDouble(e -> Drawing.number(e, "width")).sum() + drawing.inside().left(), 1);
        }
        for (String value : List.of("2.5", "1.25", "0.625", "1.75")) {
            assertTrue(html.contains("<td class=\"number\">" + value + "</td>"), html);
        }
    }

    @Test
    void longTrainingsMakeNoLongPages() {
        var random = new Random(1);
        double[] losses = random.doubles(20_000, 0.1, 4).toArray();
        losses[777] = 9.87;
        String html = lines(LOSS, line(Look.THIN, losses), line(Look.BOLD, losses), line(Look.DOTTED, Arrays.copyOf(losses, 5000)));
        assertTrue(html.length() < 700_000, () -> "characters: " + html.length());
        for (Drawing drawing : Drawing.of(html)) {
            drawing.check();
            double highest = drawing.marks().stream().mapToDouble(mark -> mark[1]).min().orElseThrow();
            double[] ticks = drawing.ticks("end");
            assertTrue(ticks[ticks.length - 1] <= 10 && highest < drawing.inside().top() + 20, "the one step that stands out is not thinned away");
        }
    }
}
