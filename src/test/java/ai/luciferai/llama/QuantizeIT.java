package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.QuantizeOptions.Edits;
import ai.luciferai.llama.QuantizeOptions.Importance;
import ai.luciferai.llama.QuantizeOptions.TensorRule;
import ai.luciferai.llama.QuantizeOptions.TensorTypes;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes wrong with quantize, and what else it promises; that the bytes are right is {@link QuantizeGoldenIT}'s. */
class QuantizeIT {

    private static final Path TINY = Path.of(System.getProperty("basedir", ""))
            .resolve("src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf").toAbsolutePath();

    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void copyModel() throws IOException {
        model = Files.copy(TINY, folder.resolve("model.gguf"));
    }

    @Test
    void cancelLeavesNothing() throws IOException {
        var cancel = new Cancel();
        var options = options(QuantType.Q2_K);
        Progress cancelAtFirst = event -> cancel.request();
        cancel.request();
        assertThrows(CancelledException.class, () -> Quantize.run(options, cancelAtFirst, cancel));
        assertEquals(Set.of("model.gguf"), files());
    }

    @Test
    void layersThatAreNotThereAndAllLayersCannotBeLeftOut() throws IOException {
        for (List<Integer> layers : List.of(List.of(4), List.of(0, 1, 2, 3))) {
            var options = options(QuantType.Q4_K_M).withEdits(new QuantizeOptions.Edits(layers, List.of()));
            var fault = assertThrows(InvalidOptionException.class, () -> Quantize.run(options, Progress.NONE, Cancel.NONE));
            assertEquals("prune-layers", fault.option());
        }
        assertEquals(Set.of("model.gguf"), files());
    }

    @Test
    void cancelInTheMiddleLeavesNothing() throws Exception {
        var cancel = new Cancel();
        // The slowest type for its size, on one thread, so that there is a middle.
        var options = options(QuantType.IQ3_S).withLimits(new QuantizeOptions.Limits(1, 0));
        Thread.ofPlatform().start(() -> {
            while (!cancel.requested()) {
                try {
                    if (files().size() > 1) {
                        cancel.request();
                    }
                } catch (IOException e) {
                    cancel.request();
                }
            }
        });
        assertThrows(CancelledException.class, () -> Quantize.run(options, Progress.NONE, cancel));
        assertEquals(Set.of("model.gguf"), files());
    }

    @Test
    void progressEndsAtTheInputsBytes() throws IOException {
        var events = new ArrayList<Progress.Event>();
        QuantizeReport report = Quantize.run(options(QuantType.Q4_K_M), events::add, Cancel.NONE);
        Progress.Event last = events.getLast();
        assertEquals(last.total(), last.done());
        assertEquals(report.plan().bytesBefore(), last.total());
        assertEquals(report.plan().tensors().size(), last.metrics().get("tensors"));
    }

    @Test
    void inputIsNeverOverwritten() {
        var fault = assertThrows(InvalidOptionException.class,
                () -> run(QuantizeOptions.of(model, folder.resolve("../" + folder.getFileName() + "/model.gguf"), QuantType.Q8_0)
                        .withForce(true)));
        assertTrue(fault.getMessage().contains("another file than the input"), fault.getMessage());
    }

    @Test
    void existingOutputNeedsForce() throws IOException {
        run(options(QuantType.Q8_0));
        assertThrows(InvalidOptionException.class, () -> run(options(QuantType.Q8_0)));
        run(options(QuantType.Q8_0).withForce(true));
    }

    @Test
    void quantizedInputNeedsPermission() throws IOException {
        run(options(QuantType.Q8_0));
        Path q8 = folder.resolve("out.gguf");
        var again = QuantizeOptions.of(q8, folder.resolve("again.gguf"), QuantType.Q4_0);
        var fault = assertThrows(InvalidOptionException.class, () -> run(again));
        assertEquals("allow-requantize", fault.option());
        assertTrue(fault.getMessage().contains("q8_0"), fault.getMessage());
        QuantizeReport report = run(again.withAllowRequantize(true));
        assertTrue(report.plan().warnings().getFirst().contains("quantized already"), report.plan().warnings().toString());
    }

    @Test
    void damagedInputIsRefusedBeforeNativeCodeSeesIt() throws IOException {
        byte[] bytes = Files.readAllBytes(model);
        Files.write(model, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThrows(InvalidFileException.class, () -> run(options(QuantType.Q8_0)));
        assertThrows(InvalidFileException.class,
                () -> run(QuantizeOptions.of(folder.resolve("missing.gguf"), folder.resolve("out.gguf"), QuantType.Q8_0)));
    }

    @Test
    void weightThatIsNoNumberIsNamed() throws IOException {
        byte[] bytes = Files.readAllBytes(model);
        int at;
        try (GgufFile file = GgufReader.read(model)) {
            at = (int) (file.parts().getFirst().dataOffset() + file.tensor("blk.0.ffn_up.weight").orElseThrow().offset());
        }
        bytes[at] = 0x00; // an F16 infinity
        bytes[at + 1] = 0x7c;
        Files.write(model, bytes);
        var fault = assertThrows(InvalidFileException.class, () -> run(options(QuantType.Q4_0)));
        assertTrue(fault.getMessage().contains("blk.0.ffn_up.weight"), fault.getMessage());
        assertEquals(Set.of("model.gguf"), files());
    }

    /** Between the two steps there is a file of which nobody knows. */
    @Test
    void whatIsWrongWithACheckpointIsSaidOfIt() throws IOException {
        Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
        try (var given = Files.list(Goldens.fixture("lucifer-tiny"))) {
            for (Path file : given.toList()) {
                Files.copy(file, checkpoint.resolve(file.getFileName()));
            }
        }
        Path weights = checkpoint.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 10_000] = (byte) 0xc0; // a BF16 that is no number, in the last layer's attn_v
        bytes[bytes.length - 9_999] = 0x7f;
        Files.write(weights, bytes);
        var options = ConvertOptions.of(checkpoint).withOutfile(folder.resolve("out.gguf"));
        var fault = assertThrows(InvalidFileException.class, () -> Convert.run(options, QuantType.Q4_0, Progress.NONE, Cancel.NONE));
        assertEquals(checkpoint, fault.path());
        assertFalse(fault.getMessage().contains(".convert-"), fault.getMessage());
    }

    @Test
    void importanceMatrixThatIsNoneIsRefused() throws IOException {
        Path text = Files.writeString(folder.resolve("imatrix.gguf"), "not a matrix");
        assertThrows(InvalidFileException.class, () -> run(options(QuantType.Q4_0).withImportance(Importance.of(text))));
        assertThrows(InvalidFileException.class,
                () -> run(options(QuantType.Q4_0).withImportance(Importance.of(folder.resolve("none")))));
        assertThrows(InvalidOptionException.class, () -> run(options(QuantType.IQ2_XS)));
    }

    /** A rule's type may need what the type of the whole does not. */
    @Test
    void whatNeedsAnImportanceMatrixIsNamed() {
        var rule = new TensorTypes(Optional.empty(), Optional.empty(), List.of(new TensorRule("ffn_up", GgmlType.IQ2_XXS)), false, false);
        var fault = assertThrows(InvalidOptionException.class, () -> run(options(QuantType.Q8_0).withTensorTypes(rule)));
        assertEquals("imatrix", fault.option());
        assertTrue(fault.getMessage().contains("tensor 'blk.0.ffn_up.weight' becomes iq2_xxs") && !fault.getMessage().contains("Q8_0"), fault.getMessage());
        var whole = assertThrows(InvalidOptionException.class, () -> run(options(QuantType.Q2_K_S)));
        assertTrue(whole.getMessage().matches("(?s).*tensor 'blk.[^']+' becomes q2_K, which needs one.*"), whole.getMessage());
    }

    /** Of all types that ask for one, the plan names the tensor. */
    @ParameterizedTest
    @EnumSource(QuantType.class)
    void everyTypeThatNeedsOneNamesATensor(QuantType type) throws IOException {
        if (type != QuantType.COPY) {
            QuantizePlan plan = Quantize.plan(options(type));
            assertEquals(plan.importanceMissing(), plan.needsImportance().startsWith("tensor "), plan.needsImportance());
        }
    }

    @Test
    void theImportanceMatrixIsBlamedNotTheModel() throws IOException {
        Path none = Files.writeString(folder.resolve("none.gguf"), "not a matrix");
        Path other = Goldens.fixture("quality/mixtral-bin.gguf");
        for (Path matrix : List.of(none, other)) {
            var fault = assertThrows(InvalidFileException.class, () -> run(options(QuantType.Q4_0).withImportance(Importance.of(matrix))));
            assertEquals(matrix, fault.path(), fault.getMessage());
            assertFalse(fault.getMessage().contains("gguf_init") || fault.getMessage().contains("memory"), fault.getMessage());
        }
    }

    @Test
    void wrongPatternsAndLayersAreRefused() {
        var rule = new TensorRule("attn_(", GgmlType.Q8_0);
        assertThrows(InvalidOptionException.class, () -> run(options(QuantType.Q4_0)
                .withTensorTypes(new TensorTypes(Optional.empty(), Optional.empty(), List.of(rule), false, false))));
        assertThrows(InvalidOptionException.class, () -> new Edits(List.of(-1), List.of()));
    }

    @Test
    void batchSkipsWhatExistsAndGoesOnAfterFailure() throws IOException {
        Files.createFile(folder.resolve("model-q4_0.gguf"));
        List<QuantizeOptions> batch = List.of(QuantType.IQ1_S, QuantType.Q4_0, QuantType.Q8_0).stream()
                .map(type -> QuantizeOptions.of(model, Quantize.defaultOutput(model, type), type)).toList();
        List<QuantizeResult> results = Quantize.runAll(batch, Progress.NONE, Cancel.NONE);
        assertEquals(List.of(QuantizeResult.State.FAILED, QuantizeResult.State.SKIPPED, QuantizeResult.State.DONE),
                results.stream().map(QuantizeResult::state).toList());
        assertEquals(Set.of("model.gguf", "model-q4_0.gguf", "model-q8_0.gguf"), files());
    }

    @Test
    void partsThatExistAreSkippedInABatch() throws IOException {
        Path first = TestFiles.split(model, folder.resolve("parts"));
        var options = QuantizeOptions.of(first, Quantize.defaultOutput(first, QuantType.Q8_0), QuantType.Q8_0).withKeepSplit(true);
        assertEquals(QuantizeResult.State.DONE, state(options));
        Set<String> done = files();
        assertTrue(done.containsAll(Set.of("parts-q8_0-00001-of-00003.gguf", "parts-q8_0-00003-of-00003.gguf")), done.toString());
        assertEquals(QuantizeResult.State.SKIPPED, state(options));
        assertEquals(QuantizeResult.State.DONE, state(options.withForce(true)));
        Files.delete(folder.resolve("parts-q8_0-00002-of-00003.gguf"));
        assertEquals(QuantizeResult.State.FAILED, state(options)); // half an output is nobody's to replace
        try (GgufFile parts = GgufReader.read(run(options.withForce(true)).outputs().getFirst())) {
            assertEquals(38, parts.tensors().size());
        }
        assertEquals(done, files());
    }

    private static QuantizeResult.State state(QuantizeOptions options) {
        return Quantize.runAll(List.of(options), Progress.NONE, Cancel.NONE).getFirst().state();
    }

    @Test
    void choiceIsTheLargestThatFits() throws IOException {
        QuantizeChoice choice = Quantize.choose(options(QuantType.Q8_0), QuantizeBudget.file(2_000_000));
        assertTrue(choice.plan().fileBytes() <= 2_000_000);
        List<QuantizeChoice.Candidate> considered = choice.considered();
        assertEquals("chosen", considered.getLast().verdict());
        assertTrue(considered.get(considered.size() - 2).fileBytes() > 2_000_000);
        var fault = assertThrows(InvalidOptionException.class,
                () -> Quantize.choose(options(QuantType.Q8_0), QuantizeBudget.ram(500_000)));
        assertEquals("for-ram", fault.option());
    }

    @Test
    void planTellsWhatRunDoes() throws IOException {
        QuantizePlan plan = Quantize.plan(options(QuantType.Q4_K_M));
        QuantizeReport report = run(options(QuantType.Q4_K_M));
        assertEquals(plan, report.plan());
        assertEquals(Set.of("model.gguf", "out.gguf"), files());
    }

    /** The quantized model still answers; how well is in the README's table. */
    @Test
    void quantizedModelGenerates() throws IOException {
        run(options(QuantType.Q8_0));
        var greedy = GenerateOptions.defaults().withMaxTokens(16).withSampling(Sampling.greedy());
        try (Model quantized = Model.load(folder.resolve("out.gguf")); Model original = Model.load(model);
                Session a = quantized.session(ContextOptions.defaults()); Session b = original.session(ContextOptions.defaults())) {
            Prompt prompt = Prompt.text("extract backup.zip\n");
            assertArrayEquals(ids(b.complete(prompt, greedy)), ids(a.complete(prompt, greedy)));
        }
    }

    private static int[] ids(Completion completion) {
        return completion.tokens().stream().mapToInt(Token::id).toArray();
    }

    private QuantizeOptions options(QuantType type) {
        return QuantizeOptions.of(model, folder.resolve("out.gguf"), type);
    }

    private static QuantizeReport run(QuantizeOptions options) throws IOException {
        return Quantize.run(options, Progress.NONE, Cancel.NONE);
    }

    private TreeSet<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
        }
    }
}
