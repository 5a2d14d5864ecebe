package ai.luciferai.llama.cli;

import ai.luciferai.llama.Info;
import ai.luciferai.llama.InfoOptions;
import ai.luciferai.llama.InfoReport;
import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;

/** {@code info}: what a GGUF file holds, read without loading it. */
final class InfoCommand implements Command {

    /** Values of metadata are cut here, to keep the table a table; JSON has all. */
    private static final int MOST_CHARACTERS = 100;

    @Override
    public Syntax syntax() {
        return new Syntax("info", "MODEL", 1, """
                Shows what a GGUF file holds: version, architecture, parameters, type, size.
                Only the header is read, so the file may be larger than the memory; of a split model any part will do.""")
                .group("Parts")
                .option("-m --model", "FILE", "the file, in place of MODEL")
                .flag("--metadata", "every metadata value")
                .flag("--tensors", "every tensor with type, shape, size and place")
                .flag("--template --chat-template", "the chat template's source")
                .option("--array-elements", "N", "how many elements of an array are shown", InfoOptions.ARRAY_ELEMENTS)
                .flag("--json", "as JSON");
    }

    @Override
    public int run(Arguments a, Environment environment) {
        InfoReport report = Info.run(new InfoOptions(file(a), a.integer("--array-elements", InfoOptions.ARRAY_ELEMENTS)));
        environment.print(a.has("--json") ? InfoJson.of(report, a.has("--metadata"), a.has("--tensors"), a.has("--template")) : text(report, a));
        return ExitCode.OK;
    }

    private static Path file(Arguments a) {
        if (a.operands().isEmpty() == !a.has("-m")) {
            throw new InvalidOptionException("MODEL", "one GGUF file", a.has("-m") ? "one and -m" : "none");
        }
        return a.has("-m") ? ModelMixin.path(a.typed("-m"), a.text("-m")) : ModelMixin.path("MODEL", a.operands().getFirst());
    }

    private static String text(InfoReport report, Arguments a) {
        var out = new StringBuilder(summary(report));
        if (a.has("--metadata")) {
            out.append("\nmetadata\n");
            for (InfoReport.Pair pair : report.metadata()) {
                out.append(String.format("  %-44s %-12s %s%n", pair.key(), pair.type(), shown(pair)));
            }
        }
        if (a.has("--tensors")) {
            out.append("\ntensors\n").append(String.format("  %-40s %-8s %-26s %14s %5s %14s%n", "name", "type", "shape", "bytes", "part", "offset"));
            for (InfoReport.Tensor tensor : report.tensors()) {
                out.append(String.format("  %-40s %-8s %-26s %14d %5d %14d%n", tensor.name(), tensor.type(), tensor.shape(), tensor.bytes(),
                        tensor.part() + 1, tensor.offset()));
            }
        }
        if (a.has("--template")) {
            out.append("\nchat template\n").append(report.chatTemplate()).append(report.chatTemplate().endsWith("\n") ? "" : "\n");
        }
        return out.toString();
    }

    private static String shown(InfoReport.Pair pair) {
        String text = String.valueOf(InfoJson.value(pair));
        boolean cut = pair.value() instanceof List<?> items && !pair.type().endsWith("[" + items.size() + "]");
        return oneLine(cut ? text.substring(0, text.length() - 1) + ", …]" : text);
    }

    private static String summary(InfoReport report) {
        var out = new StringBuilder("GGUF " + kind(report) + " file version ").append(report.format().version()).append('\n');
        line(out, "file", report.options().model() + ", " + size(report.bytes()));
        if (report.format().parts().size() > 1) {
            line(out, "parts", report.format().parts().size());
        }
        line(out, "architecture", report.architecture());
        line(out, "name", report.name());
        report.adapter().ifPresent(adapter -> adapter(out, adapter));
        report.activations().ifPresent(activations -> {
            line(out, "computed from", String.join(", ", activations.datasets()));
            line(out, "chunks", activations.chunks() + " of " + activations.chunkSize() + " tokens");
            line(out, "has", activations.tensors() + " weights");
        });
        if (report.contents() != InfoReport.Contents.IMPORTANCE_MATRIX) { // sums of activations are no parameters
            line(out, "parameters", parameters(report.parameters()));
            line(out, "type", report.fileType() + (report.parameters() == 0 ? ""
                    : String.format(Locale.ROOT, ", %.2f bits per weight", report.bitsPerWeight())));
        }
        line(out, "tensors", report.tensors().size() + ", " + size(report.tensorBytes()));
        line(out, "metadata", report.metadata().size() + " values");
        line(out, "byte order", report.format().byteOrder().toString().toLowerCase(Locale.ROOT).replace('_', ' '));
        line(out, "alignment", report.format().alignment());
        if (report.contents() == InfoReport.Contents.MODEL || report.contents() == InfoReport.Contents.VOCABULARY) {
            line(out, "chat template", report.chatTemplate().isEmpty() ? "none" : report.chatTemplate().length() + " characters");
        }
        line(out, "problem", oneLine(report.problem()));
        return out.toString();
    }

    private static String kind(InfoReport report) {
        return report.contents().name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static void adapter(StringBuilder out, InfoReport.Adapter adapter) {
        line(out, "base model", adapter.base());
        line(out, "adapter", adapter.type());
        line(out, "rank", adapter.ranks().isEmpty() ? "" : adapter.ranks().size() == 1 ? adapter.ranks().getFirst()
                : adapter.ranks().getFirst() + " to " + adapter.ranks().getLast());
        line(out, "alpha", adapter.alpha().isPresent() ? number(adapter.alpha().getAsDouble()) + (adapter.ranks().size() != 1 ? ""
                : ", scale " + number(adapter.alpha().getAsDouble() / adapter.ranks().getFirst())) : "none, scale 1");
        line(out, "changes", adapter.weights().size() + " weights: " + String.join(", ", new TreeSet<>(adapter.weights().stream()
                .map(name -> name.replaceFirst("^(\\w+\\.)?blk\\.\\d+\\.", "").replaceFirst("\\.weight$", "")).toList())));
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e9 ? Long.toString((long) value) : Float.toString((float) value);
    }

    private static void line(StringBuilder out, String name, Object value) {
        if (!value.toString().isEmpty()) {
            out.append(String.format("  %-14s %s%n", name, value));
        }
    }

    private static String oneLine(String text) {
        String line = text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t");
        return line.length() <= MOST_CHARACTERS ? line : line.substring(0, MOST_CHARACTERS - 1) + "…";
    }

    private static String size(long bytes) {
        return bytes < 1L << 30
                ? String.format(Locale.ROOT, "%.2f MiB", bytes / 1048576.0)
                : String.format(Locale.ROOT, "%.2f GiB", bytes / 1073741824.0);
    }

    private static String parameters(long count) {
        return count < 100_000 ? Long.toString(count) : count < 1_000_000_000 ? String.format(Locale.ROOT, "%.2f M", count / 1e6) : String.format(Locale.ROOT, "%.2f B", count / 1e9);
    }
}
