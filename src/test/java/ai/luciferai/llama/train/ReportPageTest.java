package ai.luciferai.llama.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.report.LinePlot.Point;
import java.io.StringReader;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

/** The page of a training. */
class ReportPageTest {

    private static String page(List<Double> losses, List<Point> evaluations) {
        return ReportPage.html("Training of <b>", Map.of("data", "a & b.jsonl"), Map.of(), losses, Collections.nCopies(losses.size(), 2e-5), evaluations,
                "# card of <b>");
    }

    private static Document parse(String html) throws Exception {
        return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(html)));
    }

    @Test
    void smoothedLossesAreMeansThatForget() {
        assertEquals(List.of(4.0, 4.0, 4.0), ReportPage.smoothed(List.of(4.0, 4.0, 4.0), 9));
        List<Double> means = ReportPage.smoothed(List.of(Double.NaN, 1.0, Double.POSITIVE_INFINITY, 3.0), 3);
        assertTrue(Double.isNaN(means.getFirst()));
        assertEquals(1, means.get(1));
        assertEquals(1, means.get(2));
        assertEquals((0.5 * 1 + 1 * 3) / 1.5, means.get(3), 1e-12); // a value counts half of the one after it
    }

    @Test
    void evaluationsStandInThePlotOfTheLosses() throws Exception {
        String html = page(Collections.nCopies(40, 2.0), List.of(new Point(0, 3), new Point(20, 1.9), new Point(40, Double.NaN)));
        assertEquals(4 + 3, parse(html).getElementsByTagName("svg").getLength()); // two drawings in two sizes, a key to each of three lines
        String loss = html.substring(html.indexOf("<h2>Loss"), html.indexOf("<h2>Learning rate"));
        assertTrue(loss.contains("step 20: training 2, smoothed 2, evaluation 1.9"), loss);
        assertTrue(loss.contains("step 0, evaluation 3") || loss.contains("step 0: evaluation 3"), loss);
        assertFalse(html.contains("NaN") || html.contains("<script") || html.contains("http") || html.contains("<b>"), html);
    }

    @Test
    void aFewStepsOrNoneMakeAPage() throws Exception {
        for (List<Double> losses : List.of(List.<Double>of(), List.of(1.0), List.of(Double.NaN), List.of(0.0, 0.0))) {
            parse(page(losses, List.of()));
        }
        assertTrue(page(List.of(), List.of()).contains("No finite values"));
    }
}
