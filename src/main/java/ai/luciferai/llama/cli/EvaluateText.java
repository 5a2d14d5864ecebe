package ai.luciferai.llama.cli;

import ai.luciferai.llama.Divergence;
import ai.luciferai.llama.Estimate;
import ai.luciferai.llama.EvaluateReport;
import ai.luciferai.llama.EvaluateReport.Quality;
import ai.luciferai.llama.ExactMatch;
import ai.luciferai.llama.core.DiskSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.function.Function;

/** What {@code evaluate} prints: numbers with the digits of llama-perplexity. */
final class EvaluateText {

    /** A column of the table; it is left out when no model has a value. The first two are texts. */
    private record Column(String name, Function<Quality, Optional<String>> value) {}

    private static final List<Column> COLUMNS = List.of(
            new Column("model", q -> Optional.of(q.name() + (q.base() ? " (base)" : ""))),
            new Column("type", q -> Optional.of(q.failure().isPresent() ? "failed" : q.type())),
            new Column("size", q -> Optional.of(DiskSpace.text(q.bytes()))),
            new Column("bits/weight", q -> done(q, line("%.2f", q.bitsPerWeight()))),
            new Column("perplexity", q -> q.perplexity().map(e -> line("%.4f ± %.5f", e.value(), e.error()))),
            new Column("KLD", q -> q.divergence().map(d -> line("%.6f ± %.6f", d.kld().value(), d.kld().error()))),
            new Column("same top %", q -> q.divergence().map(d -> line("%.3f", 100 * d.sameTop().value()))),
            new Column("exact", q -> q.exactMatch().map(e -> e.right() + "/" + e.total())),
            new Column("tokens/s", q -> q.tokensPerSecond() > 0 ? Optional.of(line("%.1f", q.tokensPerSecond())) : Optional.empty()),
            new Column("peak memory", q -> q.peakMemoryBytes() >= 0 ? Optional.of(DiskSpace.text(q.peakMemoryBytes())) : Optional.empty()));

    private static final int TEXTS = 2;

    private EvaluateText() {}

    private static Optional<String> done(Quality q, String text) {
        return q.failure().isPresent() ? Optional.empty() : Optional.of(text);
    }

    /** @param details whether all is said about differences from the base also when several models are compared with it */
    static String text(EvaluateReport report, boolean details) {
        var out = new StringBuilder(table(report.models()));
        long compared = report.models().stream().filter(model -> model.divergence().isPresent()).count();
        for (Quality model : details || compared == 1 ? report.models() : List.<Quality>of()) {
            model.divergence().ifPresent(d -> out.append(line("%n%s against the base%n", model.name())).append(divergence(d)));
        }
        List<String> prompts = report.options().answers().prompts();
        for (int i = 0; i < prompts.size(); i++) {
            out.append(line("%n--- %s%n", prompts.get(i).strip()));
            for (Quality model : report.models()) {
                if (model.failure().isEmpty()) {
                    out.append(line("%s: %s%n", model.name(), model.answers().get(i).strip()));
                }
            }
        }
        return out.toString();
    }

    private static String table(List<Quality> models) {
        List<Column> columns = COLUMNS.stream().filter(c -> models.stream().anyMatch(q -> c.value.apply(q).isPresent())).toList();
        var lines = new ArrayList<StringBuilder>();
        for (int row = 0; row <= models.size(); row++) {
            lines.add(new StringBuilder());
        }
        for (int c = 0; c < columns.size(); c++) {
            Column column = columns.get(c);
            var cells = new ArrayList<>(List.of(column.name));
            models.forEach(q -> cells.add(column.value.apply(q).orElse("-")));
            int width = cells.stream().mapToInt(String::length).max().orElse(0);
            for (int row = 0; row < cells.size(); row++) {
                lines.get(row).append(c == 0 ? "" : "  ").append(line("%" + (c < TEXTS ? "-" : "") + width + "s", cells.get(row)));
            }
        }
        return String.join("\n", lines.stream().map(l -> l.toString().stripTrailing()).toList()) + "\n";
    }

    /** The lines of llama-perplexity's {@code --kl-divergence}. */
    private static String divergence(Divergence d) {
        var out = new StringBuilder();
        estimate(out, "Mean PPL(Q)", d.perplexity());
        estimate(out, "Mean PPL(base)", d.basePerplexity());
        out.append(line("%-30s: %6.2f%%%n", "Cor(ln(PPL(Q)), ln(PPL(base)))", 100 * d.correlation()));
        estimate(out, "Mean ln(PPL(Q)/PPL(base))", d.logRatio());
        estimate(out, "Mean PPL(Q)/PPL(base)", d.ratio());
        estimate(out, "Mean PPL(Q)-PPL(base)", d.difference());
        estimate(out, "Mean KLD", d.kld());
        d.kldQuantiles().reversed().forEach((share, value) -> out.append(line("%-30s: %10.6f%n", share(share) + " KLD", value)));
        out.append(line("%-30s: %6.3f ± %5.3f %%%n", "Mean Δp", 100 * d.deltaP().value(), 100 * d.deltaP().error()));
        d.deltaPQuantiles().reversed().forEach((share, value) -> out.append(line("%-30s: %6.3f%%%n", share(share) + " Δp", 100 * value)));
        out.append(line("%-30s: %6.3f ± %5.3f %%%n", "RMS Δp", 100 * d.rmsDeltaP().value(), 100 * d.rmsDeltaP().error()));
        out.append(line("%-30s: %6.3f ± %5.3f %%%n", "Same top p", 100 * d.sameTop().value(), 100 * d.sameTop().error()));
        return out.toString();
    }

    private static void estimate(StringBuilder out, String name, Estimate e) {
        out.append(line("%-30s: %10.6f ± %10.6f%n", name, e.value(), e.error()));
    }

    private static String share(double share) {
        return share == 0 ? "Minimum" : share == 0.5 ? "Median" : share == 1 ? "Maximum" : line("%.1f%%", 100 * share);
    }

    static String json(EvaluateReport report) {
        var models = new ArrayList<Map<String, Object>>();
        report.models().forEach(model -> models.add(json(model)));
        return Json.pretty(Json.object("chunk_size", report.options().reading().chunkSize(),
                "prompts", report.options().answers().prompts(), "models", models));
    }

    private static Map<String, Object> json(Quality q) {
        return Json.object("model", q.path(), "name", q.name(), "type", q.type(), "bytes", q.bytes(), "parameters", q.parameters(),
                "bits_per_weight", q.bitsPerWeight(), "base", q.base(), "perplexity", q.perplexity().map(EvaluateText::json).orElse(null),
                "divergence", q.divergence().map(EvaluateText::json).orElse(null),
                "exact_match", q.exactMatch().map(EvaluateText::json).orElse(null), "answers", q.answers(),
                "tokens_per_second", q.tokensPerSecond(), "peak_memory_bytes", q.peakMemoryBytes() < 0 ? null : q.peakMemoryBytes(),
                "error", q.failure().map(Exception::getMessage).orElse(null));
    }

    private static Map<String, Object> json(Estimate e) {
        return Json.object("value", e.value(), "error", e.error());
    }

    private static Map<String, Object> json(Divergence d) {
        return Json.object("tokens", d.tokens(), "base_perplexity", json(d.basePerplexity()), "correlation", d.correlation(), "log_ratio",
                json(d.logRatio()), "ratio", json(d.ratio()), "difference", json(d.difference()), "kld", json(d.kld()), "kld_quantiles",
                json(d.kldQuantiles()), "delta_p", json(d.deltaP()), "delta_p_quantiles", json(d.deltaPQuantiles()), "rms_delta_p",
                json(d.rmsDeltaP()), "same_top", json(d.sameTop()));
    }

    private static Map<String, Object> json(SortedMap<Double, Double> quantiles) {
        Map<String, Object> object = Json.object();
        quantiles.forEach((share, value) -> object.put(share.toString(), value));
        return object;
    }

    private static Map<String, Object> json(ExactMatch e) {
        var misses = new ArrayList<Map<String, Object>>();
        e.misses().forEach(miss -> misses.add(Json.object("prompt", miss.prompt(), "expected", miss.expected(), "got", miss.got())));
        return Json.object("right", e.right(), "total", e.total(), "share", e.share(), "misses", misses);
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
