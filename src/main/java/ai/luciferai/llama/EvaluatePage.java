package ai.luciferai.llama;

import ai.luciferai.llama.report.HtmlPage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** An evaluation as a page: the table, size against each measure of quality, answers side by side. */
final class EvaluatePage {

    private static final double MIB = 1024 * 1024;

    /** A column of the table. */
    private record Column(String name, Function<EvaluateReport.Quality, Optional<String>> value) {}

    private static final List<Column> COLUMNS = List.of(
            new Column("type", q -> Optional.of(q.type())),
            new Column("size, MiB", q -> Optional.of(text("%.1f", q.bytes() / MIB))),
            new Column("bits per weight", q -> q.failure().isPresent() ? Optional.empty() : Optional.of(text("%.2f", q.bitsPerWeight()))),
            new Column("perplexity", q -> q.perplexity().map(e -> text("%.4f ± %.4f", e.value(), e.error()))),
            new Column("KL divergence", q -> q.divergence().map(d -> text("%.6f ± %.6f", d.kld().value(), d.kld().error()))),
            new Column("same top token", q -> q.divergence().map(d -> text("%.2f %%", 100 * d.sameTop().value()))),
            new Column("exact answers", q -> q.exactMatch().map(e -> e.right() + " of " + e.total())),
            new Column("tokens/s", q -> q.tokensPerSecond() > 0 ? Optional.of(text("%.0f", q.tokensPerSecond())) : Optional.empty()),
            new Column("peak memory, MiB", q -> q.peakMemoryBytes() >= 0 ? Optional.of(text("%.0f", q.peakMemoryBytes() / MIB))
                    : Optional.empty()));

    private EvaluatePage() {}

    static String html(EvaluateReport report) {
        var body = new StringBuilder(table(report.models()));
        plot(body, report, "perplexity", "perplexity, lower is better", q -> q.perplexity().map(Estimate::value));
        plot(body, report, "KL divergence", "KL divergence from the base in nats, lower is better",
                q -> q.base() ? Optional.of(0.0) : q.divergence().map(d -> d.kld().value()));
        plot(body, report, "exact answers", "share of exact answers in %, higher is better", q -> q.exactMatch().map(e -> 100 * e.share()));
        answers(body, report);
        return HtmlPage.page("Evaluation of " + (report.models().size() == 1 ? report.models().getFirst().name()
                : report.models().size() + " models"), body.toString());
    }

    private static String table(List<EvaluateReport.Quality> models) {
        List<Column> columns = COLUMNS.stream().filter(column -> models.stream().anyMatch(q -> column.value.apply(q).isPresent())).toList();
        var head = new ArrayList<>(List.of("model"));
        columns.forEach(column -> head.add(column.name));
        var rows = new ArrayList<List<String>>();
        for (EvaluateReport.Quality model : models) {
            var row = new ArrayList<>(List.of(model.name() + (model.base() ? " (base)" : "")));
            columns.forEach(column -> row.add(column.value.apply(model).orElse("")));
            row.set(1, model.failure().map(failure -> "failed: " + failure.getMessage()).orElse(row.get(1)));
            rows.add(row);
        }
        return HtmlPage.table(head, rows, 2);
    }

    private static void plot(StringBuilder body, EvaluateReport report, String measure, String label,
            Function<EvaluateReport.Quality, Optional<Double>> value) {
        var points = new ArrayList<HtmlPage.Point>();
        for (EvaluateReport.Quality model : report.models()) {
            value.apply(model).filter(Double::isFinite)
                    .ifPresent(y -> points.add(new HtmlPage.Point(model.name(), model.bytes() / MIB, y)));
        }
        if (points.size() > 1) {
            body.append("<h2>Size against ").append(measure).append("</h2>").append(HtmlPage.scatter(points, "size in MiB", label));
        }
    }

    private static void answers(StringBuilder body, EvaluateReport report) {
        List<String> prompts = report.options().answers().prompts();
        for (int i = 0; i < prompts.size(); i++) {
            var rows = new ArrayList<List<String>>();
            for (EvaluateReport.Quality model : report.models()) {
                if (model.failure().isEmpty()) {
                    rows.add(List.of(model.name(), model.answers().get(i).strip()));
                }
            }
            body.append("<h2>").append(HtmlPage.escape(prompts.get(i).strip())).append("</h2>")
                    .append(HtmlPage.table(List.of("model", "answer"), rows, 2));
        }
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
