package ai.luciferai.llama.cli;

import ai.luciferai.llama.ImatrixStatistics;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;

/** The statistics of an importance matrix, with the numbers and the order of llama-imatrix. */
final class ImatrixText {

    private ImatrixText() {}

    static String statistics(ImatrixStatistics statistics) {
        var out = new StringBuilder(line("%5s  %-20s %12s %10s %13s %8s %8s %9s %7s %9s %8s %8s %8s%n", "layer", "tensor", "sum", "min", "max",
                "mean", "dev", "active %", "N", "entropy", "norm %", "ZD %", "cos sim"));
        for (ImatrixStatistics.Weight w : statistics.weights()) {
            out.append(line("%5s  %-20s %12.2f %10.4f %13.4f %8.2f %8.2f %9.2f %7d %9.4f %8.2f %8.2f %8.4f%n", w.layer(), w.kind(), w.sum(), w.min(),
                    w.max(), w.mean(), w.deviation(), 100 * w.active(), w.columns(), w.entropy(), 100 * w.normalizedEntropy(),
                    100 * w.outliers(), w.cosineSimilarity()));
        }
        out.append(line("%n%5s %14s %10s %8s%n", "layer", "sum", "ZD %", "cos sim"));
        statistics.layers().forEach((layer, average) -> out.append(line("%5d %14.2f %10.4f %8.4f%n", layer, average.sum(),
                100 * average.outliers(), average.cosineSimilarity())));
        return out.toString();
    }

    static String json(ImatrixStatistics statistics) {
        var weights = new ArrayList<Map<String, Object>>();
        statistics.weights().forEach(w -> weights.add(Json.object("name", w.name(), "sum", w.sum(), "min", w.min(), "max", w.max(), "mean",
                w.mean(), "deviation", w.deviation(), "active", w.active(), "columns", w.columns(), "entropy", w.entropy(),
                "normalized_entropy", w.normalizedEntropy(), "outliers", w.outliers(), "cosine_similarity", w.cosineSimilarity())));
        var layers = new ArrayList<Map<String, Object>>();
        statistics.layers().forEach((layer, average) -> layers.add(Json.object("layer", layer, "sum", average.sum(), "outliers",
                average.outliers(), "cosine_similarity", average.cosineSimilarity())));
        return Json.pretty(Json.object("weights", weights, "layers", layers));
    }

    private static String line(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }
}
