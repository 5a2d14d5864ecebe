package ai.luciferai.llama.report;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Finds places for names beside dots where they cover nothing. */
final class Labels {

    private static final double HEIGHT = Letters.SIZE + 2;
    /** Of a name from its dot; from the second on a line leads to it. */
    private static final double[] NAME_DISTANCES = {8, 20, 34};
    private static final double[] NUMBER_DISTANCES = {8, 20, 34, 50, 70, 95};
    /** Right first, where one looks for a name. */
    private static final double[][] DIRECTIONS = {{1, 0}, {-1, 0}, {0.7, -0.7}, {0.7, 0.7}, {-0.7, -0.7}, {-0.7, 0.7}, {0, -1}, {0, 1}};
    /** Boxes that a line is taken for, and how far from its dot they begin: the dot's own place is taken. */
    private static final int WAY = 24;
    private static final double START = 7;
    /** Of the drawing's width, what a name may take. */
    private static final double WIDEST = 0.45;

    private record Box(double left, double top, double right, double bottom) {

        boolean meets(Box other) {
            return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
        }

        boolean within(Box other) {
            return left >= other.left && right <= other.right && top >= other.top && bottom <= other.bottom;
        }
    }

    private final Box bounds;
    private final double widest;
    private final List<Box> taken = new ArrayList<>();
    private final List<Box> bars = new ArrayList<>();

    Labels(Frame frame) {
        bounds = new Box(frame.left + 2, frame.top, frame.right, frame.bottom - 1);
        widest = (frame.right - frame.left) * WIDEST;
    }

    /** Something that no name may cover. */
    void keepFree(double left, double top, double right, double bottom) {
        taken.add(new Box(left, top, right, bottom));
    }

    /** A bar, which only a number may cover for which there is no other room. */
    void keepFreeIfPossible(double left, double top, double right, double bottom) {
        bars.add(new Box(left, top, right, bottom));
    }

    /** The number and the name as far as there is room for it, else the number, which the table explains. */
    String place(double x, double y, String number, String name) {
        String full = Letters.fit(number + " " + name, widest);
        String placed = name.isEmpty() ? "" : place(x, y, full, NAME_DISTANCES, bars);
        placed = placed.isEmpty() ? place(x, y, number, NUMBER_DISTANCES, bars) : placed;
        return placed.isEmpty() ? place(x, y, number, NUMBER_DISTANCES, List.of()) : placed;
    }

    /** The text, or nothing where there is no room: what is pointed at still says its name. */
    private String place(double x, double y, String text, double[] distances, List<Box> covered) {
        double width = Letters.width(text);
        for (double distance : distances) {
            for (double[] direction : DIRECTIONS) {
                double nearX = x + direction[0] * distance;
                double nearY = y + direction[1] * (distance + HEIGHT / 3);
                double left = direction[0] > 0 ? nearX : direction[0] < 0 ? nearX - width : nearX - width / 2;
                var box = new Box(left, nearY - HEIGHT / 2, left + width, nearY + HEIGHT / 2);
                boolean led = distance > distances[0];
                double end = direction[0] == 0 ? nearY - direction[1] * HEIGHT / 2 : nearY;
                List<Box> needed = led ? new ArrayList<>(way(x, y, nearX, end)) : new ArrayList<>();
                needed.add(box);
                if (box.within(bounds) && needed.stream().noneMatch(part -> meets(part, taken) || meets(part, covered))) {
                    taken.addAll(needed);
                    return (led ? Frame.line("leader", x, y, nearX, end) : "") + anchored(direction[0], box, nearY, text);
                }
            }
        }
        return "";
    }

    private static boolean meets(Box box, List<Box> others) {
        return others.stream().anyMatch(box::meets);
    }

    /** Small boxes along a line, from beyond its dot to before its text. */
    private static List<Box> way(double x1, double y1, double x2, double y2) {
        return IntStream.range(0, WAY).mapToObj(i -> (double) i / WAY).filter(part -> part * Math.hypot(x2 - x1, y2 - y1) > START)
                .map(part -> new Box(x1 + part * (x2 - x1) - 1, y1 + part * (y2 - y1) - 1, x1 + part * (x2 - x1) + 1, y1 + part * (y2 - y1) + 1)).toList();
    }

    /** Anchored at the dot's side, so that a font of another width stays beside it. */
    private static String anchored(double direction, Box box, double middle, String text) {
        double baseline = middle + Letters.SIZE / 3;
        return direction > 0 ? Frame.text("name", box.left, baseline, "start", text)
                : direction < 0 ? Frame.text("name", box.right, baseline, "end", text)
                : Frame.text("name", (box.left + box.right) / 2, baseline, "middle", text);
    }
}
