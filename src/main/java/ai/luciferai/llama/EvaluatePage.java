package ai.luciferai.llama;

import ai.luciferai.llama.report.HtmlPage;
import ai.luciferai.llama.report.HtmlTable;
import ai.luciferai.llama.report.Measure;
import ai.luciferai.llama.report.ScatterPlot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/** An evaluation as a page: the table, size against each measure of quality, answers side by side. */
final class EvaluatePage {

    private static final Measure PERPLEXITY = Measure.from(1, "perplexity", "");
    private static final Measure DIVERGENCE = Measure.from(0, "KL divergence from the base", "nats");
    private static final Measure EXACT = Measure.share("exact answers");
    private static final String HIGHER = "Higher is better.";
    private static final String LOWER = "Lower is better. Bars: one standard error up and down.";

    /** Bytes in a unit that suits the largest of them. */
    private record Bytes(String unit, double size, String format) {

        static Bytes of(List<EvaluateReport.Quality> models, ToLongFunction<EvaluateReport.Quality> bytes) {
            long most = models.stream().mapToLong(bytes).max().orElse(0);
            return most >= 4L << 30 ? new Bytes("GiB", 1 << 30, "%.2f") : most < 1 << 20 ? new Bytes("KiB", 1 << 10, "%.1f")
                    : new Bytes("MiB", 1 << 20, "%.1f");
        }

        String text(long bytes) {
            return EvaluatePage.text(format, bytes / size);
        }
    }

    /** A column of the table. */
    private record Column(HtmlTable.Column head, Function<EvaluateReport.Quality, Optional<String>> value) {}

    private final EvaluateReport report;
    private final List<EvaluateReport.Quality> models;
    private final Bytes sizes;

    private EvaluatePage(EvaluateReport report) {
        this.report = report;
        this.models = report.models();
        this.sizes = Bytes.of(models, EvaluateReport.Quality::bytes);
    }

    static String html(EvaluateReport report) {
        var page = new EvaluatePage(report);
        List<EvaluateReport.Quality> models = report.models();
        String body = page.table()
                + page.plot("perplexity", PERPLEXITY, LOWER, EvaluateReport.Quality::perplexity)
                + page.plot("KL divergence", DIVERGENCE, LOWER, q -> q.base() ? Optional.of(new Estimate(0, 0)) : q.divergence().map(Divergence::kld))
                + page.plot("exact answers", EXACT, HIGHER, q -> q.exactMatch().map(e -> new Estimate(100 * e.share(), 0)))
                + page.answers();
        return HtmlPage.page("Evaluation of " + (models.size() == 1 ? models.getFirst().name() : models.size() + " models"), body);
    }

    private static String name(EvaluateReport.Quality model) {
        return model.name() + (model.base() ? " (base)" : "");
    }

    private List<Column> columns() {
        Bytes memory = Bytes.of(models, EvaluateReport.Quality::peakMemoryBytes);
        return List.of(
                new Column(HtmlTable.Column.words("type"), q -> Optional.of(q.type())),
                new Column(HtmlTable.Column.number("size", sizes.unit), q -> Optional.of(sizes.text(q.bytes()))),
                new Column(HtmlTable.Column.number("bits", "per weight"), q -> number("%.2f", q.bitsPerWeight())),
                new Column(HtmlTable.Column.number("perplexity"), q -> q.perplexity().map(e -> estimate("%.4f", e))),
                new Column(HtmlTable.Column.number("KL divergence", "nats"), q -> q.divergence().map(d -> estimate("%.6f", d.kld()))),
                new Column(HtmlTable.Column.number("same top", "% of tokens"), q -> q.divergence().flatMap(d -> number("%.2f", 100 * d.sameTop().value()))),
                new Column(HtmlTable.Column.number("exact", "answers"), q -> q.exactMatch().map(e -> e.right() + "/" + e.total())),
                new Column(HtmlTable.Column.number("speed", "tokens/s"), q -> q.tokensPerSecond() > 0 ? number("%.0f", q.tokensPerSecond()) : Optional.empty()),
                new Column(HtmlTable.Column.number("peak memory", memory.unit), q -> q.peakMemoryBytes() >= 0 ? Optional.of(memory.text(q.peakMemoryBytes()))
                        : Optional.empty()));
    }

    /** Models are numbered: names may be too long to stand in a drawing. */
    private String table() {
        List<EvaluateReport.Quality> whole = models.stream().filter(model -> model.failure().isEmpty()).toList();
        List<Column> columns = columns().stream().filter(column -> whole.stream().anyMatch(q -> column.value.apply(q).isPresent())).toList();
        var heads = new ArrayList<>(List.of(HtmlTable.Column.number(""), HtmlTable.Column.name("model")));
        columns.forEach(column -> heads.add(column.head));
        if (columns.isEmpty()) {
            heads.add(HtmlTable.Column.text(""));
        }
        var table = new HtmlTable(heads);
        for (int i = 0; i < models.size(); i++) {
            EvaluateReport.Quality model = models.get(i);
            var row = new ArrayList<>(List.of(String.valueOf(i + 1), name(model)));
            model.failure().ifPresentOrElse(failure -> row.add("failed: " + failure.getMessage()),
                    () -> columns.forEach(column -> row.add(column.value.apply(model).orElse(""))));
            table.row(row);
        }
        return table.html();
    }

    private String plot(String title, Measure measure, String note, Function<EvaluateReport.Quality, Optional<Estimate>> value) {
        var dots = new ArrayList<ScatterPlot.Dot>();
        for (int i = 0; i < models.size(); i++) {
            EvaluateReport.Quality model = models.get(i);
            int number = i + 1;
            value.apply(model).filter(e -> model.failure().isEmpty()).ifPresent(e -> dots.add(new ScatterPlot.Dot(number, name(model), model.base(),
                    model.bytes() / sizes.size, e.value(), e.error())));
        }
        return dots.size() < 2 ? "" : "<h2>Size against " + title + "</h2>"
                + new ScatterPlot(Measure.from(0, "size", sizes.unit), measure, note, dots).html();
    }

    private String answers() {
        var html = new StringBuilder();
        List<String> prompts = report.options().answers().prompts();
        for (int i = 0; i < prompts.size(); i++) {
            var table = new HtmlTable(List.of(HtmlTable.Column.name("model"), HtmlTable.Column.text("answer")));
            for (EvaluateReport.Quality model : models) {
                if (model.failure().isEmpty()) {
                    table.row(List.of(model.name(), model.answers().get(i).strip()));
                }
            }
            html.append("<h2>").append(HtmlPage.escape(prompts.get(i).strip())).append("</h2>").append(table.html());
        }
        return html.toString();
    }

    private static Optional<String> number(String format, double value) {
        return Double.isFinite(value) ? Optional.of(text(format, value)) : Optional.empty();
    }

    /** What is no number is said, an error that is none is left out. */
    private static String estimate(String format, Estimate e) {
        String value = Double.isNaN(e.value()) ? "not a number" : Double.isInfinite(e.value()) ? "infinite" : text(format, e.value());
        return Double.isFinite(e.value()) && Double.isFinite(e.error()) ? value + " ± " + text(format, e.error()) : value;
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
