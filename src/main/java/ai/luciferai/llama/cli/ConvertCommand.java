package ai.luciferai.llama.cli;

import ai.luciferai.llama.Convert;
import ai.luciferai.llama.ConvertOptions;
import ai.luciferai.llama.ConvertReport;
import ai.luciferai.llama.ConvertType;
import ai.luciferai.llama.QuantType;
import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code convert}: a Hugging Face or PyTorch model becomes a GGUF file. */
final class ConvertCommand implements Command {

    private static final List<String> TYPES = List.of("f32", "f16", "bf16", "q8_0", "auto");

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("convert", "INPUT", 1, """
                Converts a Hugging Face or PyTorch model into a GGUF file.
                INPUT is a folder with config.json, tokenizer and weights (safetensors, .bin, .pt, .pth, whole or in shards), or one weight
                file in such a folder, an adapter of PEFT, a GGUF of an older version, or a GGML or GGJT file. Nothing of it is executed.""");
        return syntax.group("Output")
                .option("-o --outfile", "FILE", "file to write, or a folder (default: the input's, under the model's name)")
                .option("--outtype", "TYPE", "type of the matrices: f32, f16, bf16, q8_0, auto (as the checkpoint has them), or any that quantize "
                        + "knows, such as q4_k_m", "f16, adapters f32")
                .option("--split-max-size", "N[M|G]", "several files, each with at most so many bytes of tensors")
                .flag("--vocab-only", "only keys and tokenizer, no tensors")
                .flag("--dry-run", "checks all and says what would be written")
                .flag("--force", "replaces existing files")
                .flag("--json", "the report as JSON")
                .group("What the files of the model do not say")
                .option("--model-name", "NAME", "name of the model")
                .option("--chat-template", "NAME|FILE", "chat template: chatml, llama3, zephyr, phi3, gemma, or a Jinja file")
                .option("--metadata", "FILE", "JSON with general.* keys that win over what is found")
                .option("--base", "DIR", "configuration of an adapter's base model, where the adapter does not name a folder")
                .option("--pre", "NAME", "llama.cpp's name of the pre-tokenizer, where it is not recognised");
    }

    @Override
    public void prepare() {
        Convert.prepare();
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        if (a.operands().isEmpty()) {
            throw new InvalidOptionException("INPUT", "a folder or weight file", "nothing", "lucifer-llama convert DIR --outfile model.gguf");
        }
        ConvertOptions options = options(a);
        Optional<QuantType> quantized = quantized(a);
        ConvertReport report;
        try (ProgressLine progress = environment.progress()) {
            report = quantized.isPresent() ? Convert.run(options, quantized.get(), progress, environment.cancel())
                    : Convert.run(options, progress, environment.cancel());
        }
        if (environment.verbosity().compareTo(Verbosity.VERBOSE) >= 0) {
            environment.say(summary(report));
        }
        environment.print(a.has("--json") ? json(report) : text(report));
        return ExitCode.OK;
    }

    static ConvertOptions options(Arguments a) {
        Optional<Path> metadata = Optional.ofNullable(a.text("--metadata")).map(name -> ModelMixin.path("--metadata", name));
        var details = new ConvertOptions.Details(Optional.ofNullable(a.text("--model-name")), Optional.ofNullable(a.text("--chat-template")),
                metadata, Optional.ofNullable(a.text("--pre")),
                Optional.ofNullable(a.text("--base")).map(name -> ModelMixin.path("--base", name)));
        ConvertOptions defaults = ConvertOptions.of(ModelMixin.path("INPUT", a.operands().getFirst()));
        ConvertType type = quantized(a).isPresent() ? ConvertType.AUTO
                : a.has("--outtype") ? ConvertType.valueOf(a.text("--outtype").toUpperCase(Locale.ROOT)) : defaults.type();
        return new ConvertOptions(defaults.input(), Optional.ofNullable(a.text("--outfile")).map(name -> ModelMixin.path("--outfile", name)),
                type, details, a.has("--vocab-only"), bytes(a), a.has("--dry-run"), a.has("--force"));
    }

    /** The type that only quantizing gives, or empty. */
    private static Optional<QuantType> quantized(Arguments a) {
        String type = a.text("--outtype");
        return type == null || TYPES.contains(type.toLowerCase(Locale.ROOT)) ? Optional.empty()
                : Optional.of(QuantType.find(type).orElseThrow(() -> new InvalidOptionException("--outtype",
                        String.join(", ", TYPES) + ", or one that quantize makes: " + QuantType.names(), Arguments.quote(type))));
    }

    /** "2G", "300M", "1000000": powers of 1000, as the reference counts them. */
    private static long bytes(Arguments a) {
        String text = a.text("--split-max-size");
        if (text == null) {
            return 0;
        }
        String digits = text.replaceFirst("[MGmg]$", "");
        long unit = digits.equals(text) ? 1 : text.toUpperCase(Locale.ROOT).endsWith("G") ? 1_000_000_000 : 1_000_000;
        try {
            return Math.multiplyExact(Long.parseLong(digits), unit);
        } catch (NumberFormatException | ArithmeticException odd) {
            throw new InvalidOptionException("--split-max-size", "a number of bytes, or one with M or G", Arguments.quote(text));
        }
    }

    private static String text(ConvertReport report) {
        var out = new StringBuilder();
        report.files().forEach(file -> out.append(file).append('\n'));
        return out.toString();
    }

    /** What it was and what it took, in a line. */
    private static String summary(ConvertReport report) {
        return String.format(Locale.ROOT, "%s (%s): %d tensors, %.2f M parameters, matrices as %s; %s read, %s written in %.1f s", report.name(),
                report.architecture(), report.tensors(), report.parameters() / 1e6, report.type().name().toLowerCase(Locale.ROOT),
                DiskSpace.text(report.inputBytes()), DiskSpace.text(report.outputBytes()), report.millis() / 1000.0);
    }

    private static String json(ConvertReport report) {
        return Json.pretty(Json.object("files", report.files().stream().map(Path::toString).toList(), "architecture", report.architecture(),
                "name", report.name(), "type", report.type().name().toLowerCase(Locale.ROOT), "tensors", report.tensors(),
                "parameters", report.parameters(), "inputBytes", report.inputBytes(), "outputBytes", report.outputBytes(),
                "millis", report.millis()));
    }
}
