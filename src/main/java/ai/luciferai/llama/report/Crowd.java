package ai.luciferai.llama.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Where most of the values are. One that is far from all others would press them into a line; a drawing then shows the others, and says of
 * this one that it lies beyond.
 */
record Crowd(double low, double high) {

    /** Of an axis, what most of the values fill at least; where it is less, the others are left out of it. */
    private static final double FLAT = 1.0 / 30;

    /** A value and what its error spans. */
    record Span(double low, double value, double high) {}

    /** The crowd of these values, all of them finite: all of them, unless few of them make the others' differences vanish. */
    static Crowd of(List<Span> values) {
        var near = new ArrayList<>(values);
        near.sort(Comparator.comparingDouble(Span::value));
        List<Span> most = near;
        for (List<Span> part = largerPart(most); !part.isEmpty() && 2 * part.size() > values.size(); part = largerPart(part)) {
            double shown = extent(part);
            most = shown > 0 && shown < FLAT * extent(most) ? part : most;
        }
        return new Crowd(least(most), greatest(most));
    }

    /** What lies on one side of the widest gap, where that is more than on the other; else nothing. */
    private static List<Span> largerPart(List<Span> sorted) {
        int behind = 0; // of the widest gap
        for (int i = 1; i < sorted.size(); i++) {
            if (behind == 0 || gap(sorted, i) > gap(sorted, behind)) {
                behind = i;
            }
        }
        int above = sorted.size() - behind;
        boolean none = behind == 0 || behind == above;
        return none ? List.of() : behind > above ? sorted.subList(0, behind) : sorted.subList(behind, sorted.size());
    }

    private static double gap(List<Span> sorted, int i) {
        return sorted.get(i).value() - sorted.get(i - 1).value();
    }

    private static double extent(List<Span> values) {
        return greatest(values) - least(values);
    }

    private static double least(List<Span> values) {
        return values.stream().mapToDouble(Span::low).min().orElseThrow();
    }

    private static double greatest(List<Span> values) {
        return values.stream().mapToDouble(Span::high).max().orElseThrow();
    }

    /** Whether a value is among them. */
    boolean holds(double value) {
        return value >= low && value <= high;
    }
}
