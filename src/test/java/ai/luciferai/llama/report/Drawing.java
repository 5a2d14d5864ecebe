package ai.luciferai.llama.report;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** A page's drawings as an XML parser reads them. */
record Drawing(Element svg) {

    /** Width of a usual letter, in parts of its height. */
    private static final double LETTER = 0.55;

    record Box(double left, double top, double right, double bottom) {

        boolean meets(Box other) {
            return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
        }
    }

    private static final DocumentBuilderFactory PARSERS = DocumentBuilderFactory.newInstance();

    static Document parse(String html) {
        try {
            return PARSERS.newDocumentBuilder().parse(new ByteArrayInputStream(html.getBytes(StandardCharsets.UTF_8)));
        } catch (Exception e) {
            throw new AssertionError(html, e);
        }
    }

    static List<Drawing> of(String html) {
        return elements(parse(HtmlPage.page("", html)).getElementsByTagName("svg")).stream().filter(svg -> svg.hasAttribute("role")).map(Drawing::new).toList();
    }

    private static List<Element> elements(NodeList nodes) {
        return IntStream.range(0, nodes.getLength()).mapToObj(i -> (Element) nodes.item(i)).toList();
    }

    List<Element> all(String tag, String kind) {
        return elements(svg.getElementsByTagName(tag)).stream().filter(e -> kind.isEmpty() || e.getAttribute("class").equals(kind)).toList();
    }

    static double number(Element element, String attribute) {
        return Double.parseDouble(element.getAttribute(attribute));
    }

    double width() {
        return Double.parseDouble(svg.getAttribute("viewBox").split(" ")[2]);
    }

    double height() {
        return Double.parseDouble(svg.getAttribute("viewBox").split(" ")[3]);
    }

    /** Numbers on the axis that stands upright ("end") or lies ("middle"). */
    double[] ticks(String anchor) {
        return all("text", "tick").stream().filter(e -> e.getAttribute("text-anchor").equals(anchor)).mapToDouble(e -> Double.parseDouble(e.getTextContent()))
                .toArray();
    }

    static Box box(Element text) {
        double width = text.getTextContent().codePointCount(0, text.getTextContent().length()) * LETTER * 12;
        String anchor = text.getAttribute("text-anchor");
        double left = number(text, "x") - (anchor.equals("end") ? width : anchor.equals("middle") ? width / 2 : 0);
        return new Box(left, number(text, "y") - 10, left + width, number(text, "y") + 2);
    }

    /** The space between the axes. */
    Box inside() {
        List<Element> axes = all("line", "axis");
        Element upright = axes.getLast();
        Element lying = axes.get(axes.size() - 2);
        return new Box(number(lying, "x1"), number(upright, "y1"), number(lying, "x2"), number(lying, "y1"));
    }

    /** All texts are within the drawing, all marks between the axes, and every place is a number. */
    void check() {
        for (Element text : all("text", "")) {
            Box box = box(text);
            assertTrue(box.left >= 0 && box.right <= width() && box.top >= 0 && box.bottom <= height(), () -> text.getTextContent() + ": " + box);
        }
        Box inside = inside();
        for (double[] mark : marks()) {
            assertTrue(mark[0] >= inside.left - 0.1 && mark[0] <= inside.right + 0.1 && mark[1] >= inside.top - 0.1 && mark[1] <= inside.bottom + 0.1,
                    () -> Arrays.toString(mark) + " of " + inside);
        }
    }

    List<double[]> marks() {
        var marks = new ArrayList<double[]>();
        all("circle", "").forEach(e -> marks.add(new double[] {number(e, "cx"), number(e, "cy")}));
        all("line", "grid").forEach(e -> marks.add(new double[] {number(e, "x1"), number(e, "y1")}));
        all("line", "bar").forEach(e -> marks.add(new double[] {inside().left, number(e, "y1")}));
        for (Element path : all("path", "")) {
            for (String point : path.getAttribute("d").replace("h0", "").split("[ML]")) {
                if (!point.isEmpty()) {
                    marks.add(Arrays.stream(point.split(" ")).mapToDouble(Double::parseDouble).toArray());
                }
            }
        }
        return marks;
    }
}
