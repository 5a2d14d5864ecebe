package ai.luciferai.llama.cli;

import ai.luciferai.llama.Bench;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.ModelOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The results of {@code bench} in llama-bench's own table: its columns, widths and names, so that the two can be laid side by side.
 *
 * <p><i>Source</i>: markdown_printer of llama.cpp's llama-bench.cpp (v0.5.0).
 */
final class BenchText {

    /** A column; negative widths align to the left. */
    private record Column(String name, int width) {}

    private BenchText() {}

    static String markdown(List<Bench.Report> reports) {
        boolean cpuOnly = reports.stream().allMatch(report -> backend(report).contains("CPU"));
        var columns = new ArrayList<Column>();
        columns.add(new Column("model", -30));
        columns.add(new Column("size", 10));
        columns.add(new Column("params", 10));
        columns.add(new Column("backend", -10));
        columns.add(cpuOnly ? new Column("threads", 7) : new Column("ngl", 3));
        ContextOptions d = ContextOptions.defaults();
        boolean batch = reports.stream().anyMatch(r -> r.request().contextOptions().batchSize() != d.batchSize());
        boolean ubatch = reports.stream().anyMatch(r -> r.request().contextOptions().ubatchSize() != d.ubatchSize());
        boolean flash = reports.stream().anyMatch(r -> r.request().contextOptions().flashAttention() != d.flashAttention());
        if (batch) {
            columns.add(new Column("n_batch", 7));
        }
        if (ubatch) {
            columns.add(new Column("n_ubatch", 8));
        }
        if (flash) {
            columns.add(new Column("fa", 3));
        }
        columns.add(new Column("test", 15));
        columns.add(new Column("t/s", 20));
        var out = new StringBuilder();
        row(out, columns, columns.stream().map(Column::name).toList());
        out.append('|');
        for (Column column : columns) {
            out.append(' ').repeat('-', Math.abs(column.width()) - 1).append(column.width() > 0 ? ": |" : "- |");
        }
        out.append('\n');
        for (Bench.Report report : reports) {
            for (Bench.Result result : report.results()) {
                var cells = new ArrayList<>(List.of(report.model().description(), size(report.model().sizeBytes()),
                        parameters(report.model().parameters()), backend(report),
                        Integer.toString(cpuOnly ? report.threads() : report.model().gpuLayers())));
                ContextOptions context = report.request().contextOptions();
                if (batch) {
                    cells.add(Integer.toString(context.batchSize()));
                }
                if (ubatch) {
                    cells.add(Integer.toString(context.ubatchSize()));
                }
                if (flash) {
                    cells.add(switch (context.flashAttention()) {
                        case ON -> "1";
                        case OFF -> "0";
                        case AUTO -> "-1";
                    });
                }
                cells.add(result.test().name());
                cells.add(String.format(Locale.ROOT, "%.2f ± %.2f", result.mean(), result.deviation()));
                row(out, columns, cells);
            }
        }
        for (Bench.Report report : reports) {
            out.append(remarks(report));
        }
        return out.toString();
    }

    private static void row(StringBuilder out, List<Column> columns, List<String> cells) {
        out.append('|');
        for (int i = 0; i < cells.size(); i++) {
            out.append(String.format(" %" + columns.get(i).width() + "s |", cells.get(i)));
        }
        out.append('\n');
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
