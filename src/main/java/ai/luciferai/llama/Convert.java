package ai.luciferai.llama;

import ai.luciferai.llama.convert.Conversion;
import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Partial;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.StandIn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The verb {@code convert}: a Hugging Face or PyTorch model becomes a GGUF file, in Java alone. */
public final class Convert {

    private Convert() {}

    /** Begins to read the tables of architectures and tensor names, on a thread of its own, for a program that does something else first. */
    public static void prepare() {
        Conversion.prepare();
    }

    /**
     * Converts. The output appears when it is complete; cancelled or failed, nothing is left.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException      when the input is damaged or incomplete
     * @throws ai.luciferai.llama.core.UnsupportedModelException when the architecture or tokenizer is not known
     * @throws ai.luciferai.llama.core.CancelledException        when asked to stop
     */
    public static ConvertReport run(ConvertOptions options, Progress progress, Cancel cancel) throws IOException {
        requireActing(options);
        return new ConvertReport(options, Conversion.run(options.request(), progress, cancel));
    }

    /** What is asked for and would not act on such an input is refused, not passed over. */
    private static void requireActing(ConvertOptions options) throws IOException {
        Conversion.Kind kind = Conversion.kind(options.input());
        ConvertOptions.Details details = options.details();
        boolean model = kind == Conversion.Kind.MODEL;
        boolean adapter = kind == Conversion.Kind.ADAPTER;
        boolean gguf = kind == Conversion.Kind.GGUF;
        boolean file = gguf || kind == Conversion.Kind.GGML;
        String what = model ? "a model that is no adapter" : adapter ? "an adapter" : "a file whose tensors stay as they are";
        Check.require(!file || options.type() == ConvertType.AUTO, "outtype", "auto for " + what + " (quantize changes types)", options.type());
        Check.require(!gguf || details.modelName().isEmpty(), "model-name", "none for " + what, details.modelName().orElse(""));
        Check.require(model || details.chatTemplate().isEmpty(), "chat-template", "none for " + what, details.chatTemplate().orElse(""));
        Check.require(!file || details.metadata().isEmpty(), "metadata", "none for " + what, details.metadata().orElse(null));
        Check.require(model || details.preTokenizer().isEmpty(), "pre", "none for " + what, details.preTokenizer().orElse(""));
        Check.require(adapter || details.base().isEmpty(), "base", "none for " + what, details.base().orElse(null));
        Check.require(model || !options.vocabOnly(), "vocab-only", "none for " + what, true);
    }

    /**
     * Converts, then quantizes: through a temporary file of 16 bits in the folder of the output, which is gone when this returns.
     *
     * @param options its type is what the temporary file has, AUTO for what the checkpoint has
     */
    public static ConvertReport run(ConvertOptions options, QuantType type, Progress progress, Cancel cancel) throws IOException {
        Check.require(!options.vocabOnly() && !options.dryRun(), "outtype", "one of f32, f16, bf16, q8_0, auto with vocab-only and dry-run", type);
        Check.require(options.splitMaxSize() == 0, "split-max-size", "none with a type that needs quantizing", options.splitMaxSize());
        Path place = options.outfile().orElse(options.input()).toAbsolutePath();
        boolean named = options.outfile().isPresent() && !Files.isDirectory(place);
        Path folder = named || !Files.isDirectory(place) ? place.getParent() : place;
        if (named) {
            AtomicFile.requireUsable(place, options.force(), List.of());
        }
        Path temporary = Partial.folderBeside(named ? place : folder.resolve("convert"));
        try {
            ConvertReport converted = StandIn.of(temporary, named ? place : folder, () -> run(options.withOutfile(temporary), progress, cancel));
            Path between = converted.files().getFirst();
            Path output = named ? place : folder.resolve(between.getFileName().toString()
                    .replaceFirst("-(F32|F16|BF16)\\.gguf$", "-" + type + ".gguf"));
            QuantizeReport report = StandIn.of(between, options.input(), () ->
                    Quantize.run(QuantizeOptions.of(between, output, type).withForce(options.force()), progress, cancel));
            return new ConvertReport(options, report.outputs(), converted.architecture(), converted.name(), converted.type(), converted.tensors(),
                    converted.parameters(), converted.inputBytes(), report.bytes(), converted.millis() + (long) report.millis());
        } finally {
            Partial.delete(temporary);
        }
    }

    /** The model classes that can be converted, by the name that config.json gives them. */
    public static List<String> architectures() {
        return Conversion.architectures();
    }
}
