package ai.luciferai.llama.cli;

import ai.luciferai.llama.ExportLora;
import ai.luciferai.llama.ExportLoraOptions;
import ai.luciferai.llama.ExportLoraReport;
import ai.luciferai.llama.ExportType;
import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** {@code export-lora}: adapters become part of a model. */
final class ExportLoraCommand implements Command {

    private static final String EXAMPLE = "lucifer-llama export-lora --model-base model.gguf --lora adapter.gguf --model-out merged.gguf";

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("export-lora", "", 0, """
                Merges LoRA adapters into a GGUF model.
                The model may be split or quantized. Tensors that no adapter changes are copied as they are. An output appears whole or
                not at all.""")
                .group("Files")
                .option("--model-base -m --model", "FILE", "the model")
                .option("--lora --lora-scaled", "FILE[:SCALE]", "LoRA adapter, a GGUF file or PEFT's folder, scale 1 if not said; may be repeated")
                .option("--model-out -o --output --output-file", "FILE", "the merged model")
                .option("--base", "DIR", "configuration of the base model of a PEFT adapter that does not name it")
                .flag("--force", "replaces an existing output")
                .group("Result")
                .option("--outtype", "TYPE", "type of the merged tensors: f32, f16, bf16, q8_0, another of the q types (q4_k), or same as in the model",
                        "f16, f32 where the model has f32")
                .toggle("--verify", "--no-verify", "compares the merged tensors with what they should be, and the merged model with the model and its adapters at run time (default: on)")
                .flag("--json", "the report as JSON");
        return AcceptedMixin.declare(syntax, "");
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        ExportLoraOptions options = options(a);
        ExportLoraReport report;
        try (ProgressLine progress = environment.progress()) {
            report = ExportLora.run(options, progress, environment.cancel());
        }
        report.verification().ifPresent(verification -> environment.say(text(verification)));
        environment.print(a.has("--json") ? json(report) : "%s: %s, %s, %d of %d tensors merged%s, %.1f s%n".formatted(options.output(),
                report.fileType(), DiskSpace.text(report.bytes()), report.merged(), report.tensors(), types(report), report.millis() / 1000));
        return ExitCode.OK;
    }

    static ExportLoraOptions options(Arguments a) {
        Path base = required(a, "--model-base");
        requirePresent(a, "--lora");
        Path output = required(a, "--model-out");
        ExportLoraOptions options = ExportLoraOptions.of(base, ModelMixin.adapters(a), output)
                .withType(type(a)).withVerify(a.on("--verify", true)).withForce(a.has("--force"));
        return a.has("--base") ? options.withBaseConfig(ModelMixin.path("--base", a.text("--base"))) : options;
    }

    private static Path required(Arguments a, String option) {
        requirePresent(a, option);
        return ModelMixin.path(a.typed(option), a.text(option));
    }

    private static void requirePresent(Arguments a, String option) {
        if (!a.has(option)) {
            throw new InvalidOptionException(option, "a file", "nothing", EXAMPLE);
        }
    }

    private static ExportType type(Arguments a) {
        if (!a.has("--outtype")) {
            return ExportType.AUTO;
        }
        String name = a.text("--outtype").toUpperCase(Locale.ROOT);
        return Stream.of(ExportType.values()).filter(type -> type.name().equals(name)).findFirst().orElseThrow(() ->
                new InvalidOptionException("--outtype", "one of same, f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q2_k, q3_k, q4_k, q5_k, q6_k", Arguments.quote(a.text("--outtype")),
                        "for mixed types, quantize the merged model"));
    }

    private static String text(ExportLoraReport.Verification v) {
        String tensors = "verified: %d tensors hold what they should".formatted(v.tensors());
        if (v.positions() == 0) {
            return tensors + "; the model generates no text that could be compared";
        }
        String allowed = v.tolerance().isPresent() ? " (allowed: %.2g)".formatted(v.tolerance().getAsDouble()) : "";
        return "%s; at %d places of a text log-probabilities differ by at most %.2g%s, the most probable token is the same at %d"
                .formatted(tensors, v.positions(), v.largest(), allowed, v.sameTokens());
    }

    /** The file's type is that of most of it, and what was merged may be little. */
    private static String types(ExportLoraReport report) {
        Map<String, Integer> types = report.mergedAs();
        return types.isEmpty() ? "" : " as " + (types.size() == 1 ? types.keySet().iterator().next()
                : types.entrySet().stream().map(type -> type.getKey() + " (" + type.getValue() + ")").collect(Collectors.joining(", ")));
    }

    private static String json(ExportLoraReport report) {
        ExportLoraOptions options = report.options();
        Map<String, Object> verification = report.verification().map(v -> Json.object("tensors", v.tensors(), "positions", v.positions(), "same_tokens",
                v.sameTokens(), "largest_difference", v.largest(), "tolerance",
                v.tolerance().isPresent() ? v.tolerance().getAsDouble() : null)).orElse(null);
        return Json.pretty(Json.object("base", options.base(), "adapters", options.adapters().stream()
                .map(adapter -> Json.object("path", adapter.path(), "scale", adapter.scale())).toList(), "output", options.output(),
                "outtype", options.type().name().toLowerCase(Locale.ROOT), "file_type", report.fileType(), "bytes", report.bytes(),
                "tensors", report.tensors(), "merged", report.merged(), "merged_as", report.mergedAs(), "verification", verification, "millis", report.millis()));
    }
}
