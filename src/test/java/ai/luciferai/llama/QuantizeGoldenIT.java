package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.QuantizeOptions.Edits;
import ai.luciferai.llama.QuantizeOptions.Importance;
import ai.luciferai.llama.QuantizeOptions.Limits;
import ai.luciferai.llama.QuantizeOptions.TensorRule;
import ai.luciferai.llama.QuantizeOptions.TensorTypes;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgmlType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The same bytes as llama-quantize, for every type and the options that change bytes; see {@code make_digests.sh}. */
class QuantizeGoldenIT {

    private static final Path BASE = Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    private static final Path MODEL = BASE.resolve("src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf");
    private static final Path FIXTURES = BASE.resolve("src/test/fixtures/quantize");
    /** Relative, as the goldens were made: the output records the path as given. */
    private static final Path IMATRIX = Path.of("src/test/fixtures/quantize/imatrix.gguf");

    @TempDir
    Path folder;

    static List<String> goldens() throws IOException {
        return Files.readAllLines(FIXTURES.resolve("digests.txt"));
    }

    @ParameterizedTest
    @MethodSource("goldens")
    void sameBytesAsLlamaQuantize(String golden) throws Exception {
        String expected = golden.substring(0, golden.indexOf(' '));
        String[] words = golden.substring(golden.indexOf(' ')).strip().split(" ");
        QuantizeOptions options = options(words);
        if (expected.equals("refused")) {
            var fault = assertThrows(InvalidOptionException.class, () -> Quantize.run(options, Progress.NONE, Cancel.NONE));
            assertEquals("imatrix", fault.option());
            assertTrue(options.type().needsImportance(), options.type() + " should say that it needs an importance matrix");
            return;
        }
        QuantizeReport report = Quantize.run(options, Progress.NONE, Cancel.NONE);
        assertEquals(expected, sha256(options.output()));
        assertEquals(Files.size(options.output()), report.bytes());
        long estimate = report.plan().fileBytes();
        assertTrue(Math.abs(estimate - report.bytes()) <= 8192, "planned " + estimate + ", got " + report.bytes());
        assertEquals(List.of(options.output()), files());
    }

    /** The recorded bytes are those of every CPU; the program built beside this library writes them too. */
    @Test
    void llamaQuantizeWritesTheSameHere() throws IOException {
        Path theirs = folder.resolve("theirs.gguf");
        Upstream.quantize(MODEL, theirs, "Q4_K_M", "--imatrix", IMATRIX.toString());
        QuantizeOptions options = options(new String[] {"Q4_K_M", "imatrix"});
        Quantize.run(options, Progress.NONE, Cancel.NONE);
        assertEquals(-1, Files.mismatch(theirs, options.output()));
    }

    static List<String> models() throws IOException {
        return Files.readAllLines(FIXTURES.resolve("model-digests.txt"));
    }

    /** Experts, fused attention, shared embeddings, rows that fit no block, a model without attention, split models. */
    @ParameterizedTest
    @MethodSource("models")
    void sameBytesForOtherArchitectures(String golden) throws Exception {
        String[] words = golden.substring(golden.indexOf(' ')).strip().split(" ");
        Path model = words[0].contains("-of-") ? QuantizeModels.split() : QuantizeModels.model(words[0]);
        var options = QuantizeOptions.of(model, folder.resolve("q.gguf"), QuantType.parse(words[1])).withLimits(new Limits(1, 0));
        if (words.length > 2) {
            options = words[2].equals("keep-split") ? options.withKeepSplit(true)
                    : options.withImportance(Importance.of(QuantizeModels.importance(words[0])));
        }
        QuantizeReport report = Quantize.run(options, Progress.NONE, Cancel.NONE);
        var digests = new ArrayList<String>();
        for (Path output : report.outputs()) {
            digests.add(sha256(output));
        }
        assertEquals(golden.substring(0, golden.indexOf(' ')), String.join(",", digests));
        assertEquals(report.outputs(), files().stream().sorted().toList());
    }

    private QuantizeOptions options(String[] words) {
        var options = QuantizeOptions.of(MODEL, folder.resolve("q.gguf"), QuantType.parse(words[0])).withLimits(new Limits(1, 0));
        for (String word : List.of(words).subList(1, words.length)) {
            options = with(options, word);
        }
        return options;
    }

    private static QuantizeOptions with(QuantizeOptions o, String word) {
        TensorTypes types = o.tensorTypes();
        return switch (word) {
            case "imatrix" -> o.withImportance(new Importance(Optional.of(IMATRIX), o.importance().include(), o.importance().exclude()));
            case "include-attn_v" -> o.withImportance(new Importance(Optional.of(IMATRIX), List.of("attn_v"), List.of()));
            case "exclude-ffn" -> o.withImportance(new Importance(Optional.of(IMATRIX), List.of(), List.of("ffn")));
            case "pure" -> o.withTensorTypes(new TensorTypes(types.output(), types.embedding(), types.rules(), true, false));
            case "leave-output" -> o.withTensorTypes(new TensorTypes(types.output(), types.embedding(), types.rules(), false, true));
            case "embedding-q8_0" -> o.withTensorTypes(
                    new TensorTypes(types.output(), Optional.of(GgmlType.Q8_0), types.rules(), false, false));
            case "prune-1" -> o.withEdits(new Edits(List.of(1), List.of()));
            case "override" -> o.withEdits(new Edits(List.of(),
                    List.of(KvOverride.of("general.name", "other"), KvOverride.of("llama.context_length", 128))));
            default -> o.withTensorTypes(new TensorTypes(types.output(), types.embedding(),
                    Stream.concat(types.rules().stream(), Stream.of(TensorRule.parse(word.replace('-', '=')))).toList(), false, false));
        };
    }

    private List<Path> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static String sha256(Path file) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    }
}
