package ai.luciferai.llama.cli;

import ai.luciferai.llama.Bench;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Versions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * The results of {@code bench} in llama-bench's own table: its columns, widths and names, so that the two can be laid side by side.
 *
 * <p><i>Source</i>: markdown_printer of llama.cpp's llama-bench.cpp (v0.5.0).
 */
final class BenchText {

    /** A line of the table. */
    private record Row(Bench.Report report, Bench.Result result) {

        ContextOptions context() {
            return report.request().contextOptions();
        }
    }

    /** A column; negative widths align to the left. */
    private record Column(String name, int width, Function<Row, String> value) {}

    private BenchText() {}

    static String markdown(List<Bench.Report> reports) {
        var rows = new ArrayList<Row>();
        reports.forEach(report -> report.results().forEach(result -> rows.add(new Row(report, result))));
        List<Column> columns = columns(rows);
        var out = new StringBuilder();
        line(out, columns, Column::name);
        out.append('|');
        for (Column column : columns) {
            out.append(' ').repeat('-', Math.abs(column.width()) - 1).append(column.width() > 0 ? ": |" : "- |");
        }
        out.append('\n');
        rows.forEach(row -> line(out, columns, column -> column.value().apply(row)));
        reports.forEach(report -> out.append(remarks(report)));
        Versions versions = Versions.current();
        String commit = versions.llamaCppCommit();
        return out.append("\nbuild: ").append(commit, 0, Math.min(7, commit.length())).append(" (llama.cpp ").append(versions.llamaCpp())
                .append(")\n").toString();
    }

    /** llama-bench's choice: threads or GPU layers, and an option only when it is not at its default. */
    private static List<Column> columns(List<Row> rows) {
        ContextOptions d = ContextOptions.defaults();
        var columns = new ArrayList<>(List.of(
                new Column("model", -30, row -> row.report().model().description()),
                new Column("size", 10, row -> size(row.report().model().sizeBytes())),
                new Column("params", 10, row -> parameters(row.report().model().parameters())),
                new Column("backend", -10, row -> backend(row.report()))));
        columns.add(rows.stream().allMatch(row -> backend(row.report()).contains("CPU"))
                ? new Column("threads", 7, row -> Integer.toString(row.report().threads()))
                : new Column("ngl", 3, row -> Integer.toString(row.report().model().gpuLayers())));
        if (rows.stream().anyMatch(row -> row.context().batchSize() != d.batchSize())) {
            columns.add(new Column("n_batch", 7, row -> Integer.toString(row.context().batchSize())));
        }
        if (rows.stream().anyMatch(row -> row.context().ubatchSize() != d.ubatchSize())) {
            columns.add(new Column("n_ubatch", 8, row -> Integer.toString(row.context().ubatchSize())));
        }
        if (rows.stream().anyMatch(row -> row.context().flashAttention() != d.flashAttention())) {
            columns.add(new Column("fa", 3, row -> Integer.toString(flashAttention(row.context()))));
        }
        columns.add(new Column("test", 15, row -> row.result().test().name()));
        columns.add(new Column("t/s", 20, row -> String.format(Locale.ROOT, "%.2f ± %.2f", row.result().mean(), row.result().deviation())));
        return columns;
    }

    private static void line(StringBuilder out, List<Column> columns, Function<Column, String> text) {
        out.append('|');
        for (Column column : columns) {
            out.append(String.format(" %" + column.width() + "s |", text.apply(column)));
        }
        out.append('\n');
    }

    /** As llama-bench shows it. */
    private static int flashAttention(ContextOptions context) {
        return switch (context.flashAttention()) {
            case ON -> 1;
            case OFF -> 0;
            case AUTO -> -1;
        };
    }

    private static String remarks(Bench.Report report) {
        String memory = report.peakMemoryBytes() < 0 ? "not known" : size(report.peakMemoryBytes());
        return String.format(Locale.ROOT, "%n%s: loaded in %.1f ms, first token after %.1f ms, peak memory %s%n",
                report.model().description(), report.loadMillis(), report.firstTokenMillis(), memory);
    }

    private static String backend(Bench.Report report) {
        return String.join(",", report.devices());
    }

    private static String size(long bytes) {
        double mib = bytes / 1024.0 / 1024.0;
        return mib < 1024 ? String.format(Locale.ROOT, "%.2f MiB", mib) : String.format(Locale.ROOT, "%.2f GiB", mib / 1024);
    }

    private static String parameters(long count) {
        return count < 1_000_000_000 ? String.format(Locale.ROOT, "%.2f M", count / 1e6) : String.format(Locale.ROOT, "%.2f B", count / 1e9);
    }

    /** Field names of llama-bench where it has the same thing. */
    static String json(List<Bench.Report> reports) {
        var tests = new ArrayList<Map<String, Object>>();
        for (Bench.Report report : reports) {
            ModelOptions model = report.request().modelOptions();
            ContextOptions context = report.request().contextOptions();
            for (Bench.Result result : report.results()) {
                tests.add(Json.object("model_filename", report.model().path(), "model_type", report.model().description(),
                        "model_size", report.model().sizeBytes(), "model_n_params", report.model().parameters(),
                        "backends", backend(report), "n_gpu_layers", report.model().gpuLayers(), "n_threads", report.threads(),
                        "n_batch", context.batchSize(), "n_ubatch", context.ubatchSize(),
                        "type_k", context.cache().typeK().name().toLowerCase(Locale.ROOT),
                        "type_v", context.cache().typeV().name().toLowerCase(Locale.ROOT),
                        "flash_attn", context.flashAttention().name().toLowerCase(Locale.ROOT),
                        "split_mode", model.placement().splitMode().name().toLowerCase(Locale.ROOT),
                        "n_prompt", result.test().promptTokens(), "n_gen", result.test().generatedTokens(),
                        "avg_ts", result.mean(), "stddev_ts", result.deviation(), "samples_ts", result.samples(),
                        "load_ms", report.loadMillis(), "first_token_ms", report.firstTokenMillis(),
                        "peak_memory_bytes", report.peakMemoryBytes() < 0 ? null : report.peakMemoryBytes()));
            }
        }
        return Json.pretty(tests);
    }
}
