package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.hf.ModelConfig;
import ai.luciferai.llama.hf.PeftAdapter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Looks at an input and hands it to what converts its kind. */
public final class Conversion {

    /** Kinds of inputs. */
    public enum Kind {
        /** Hugging Face's, as a folder or one of its weight files. */
        MODEL,
        /** PEFT's. */
        ADAPTER,
        /** A file that is written anew. */
        GGUF,
        /** A file of before GGUF. */
        GGML
    }

    private static final String INPUT = "a folder with config.json and weights, or a weight file (.safetensors, .bin, .pt, .pth, GGUF, GGML)";
    private static final Pattern WEIGHTS = Pattern.compile("\\.(safetensors|bin|pt|pth)$");

    private Conversion() {}

    /** Begins to read the tables, on a thread of its own, and returns at once. */
    public static void prepare() {
        var thread = new Thread(() -> {
            ModelConfig.readTable();
            TensorNames.readTable();
            Architectures.readTable();
        }, "lucifer-llama tables");
        thread.setDaemon(true);
        thread.start();
    }

    /** Converts whatever the input is. */
    public static Converter.Result run(Converter.Request request, Progress progress, Cancel cancel) throws IOException {
        Path input = request.input();
        return switch (kind(input)) {
            case ADAPTER -> AdapterConverter.run(request, progress, cancel);
            case GGUF -> GgufUpgrade.run(request, progress, cancel);
            case GGML -> LegacyGgml.run(request, progress, cancel);
            case MODEL -> {
                if (!Files.isDirectory(input) && !WEIGHTS.matcher(input.getFileName().toString()).find()) {
                    throw new InvalidFileException(input, "input", INPUT, "a file of another name and kind");
                }
                yield Converter.run(request, progress, cancel);
            }
        };
    }

    /** What an input looks like. */
    public static Kind kind(Path input) throws IOException {
        if (!Files.exists(input)) {
            throw new InvalidFileException(input, "input", INPUT, "nothing at this path");
        }
        if (Files.isDirectory(input)) {
            return PeftAdapter.isAt(input) ? Kind.ADAPTER : Kind.MODEL;
        }
        String magic = magic(input);
        return magic.equals("GGUF") ? Kind.GGUF : LegacyGgml.looksLike(magic) ? Kind.GGML : Kind.MODEL;
    }

    private static String magic(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
        }
    }

    /** The model classes that can be converted. */
    public static List<String> architectures() {
        return List.copyOf(Architectures.names());
    }
}
