package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.TensorInfo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code export-lora}: the merged model is the base with its adapters, and what llama-export-lora makes. */
class ExportLoraIT {

    private static final Path BASE = EmbeddedModel.path();

    @TempDir
    Path folder;

    private Path out() {
        return folder.resolve("merged.gguf");
    }

    private ExportLoraOptions options(AdapterSource... adapters) {
        return ExportLoraOptions.of(BASE, List.of(adapters), out());
    }

    private static ExportLoraReport run(ExportLoraOptions options) throws IOException {
        return ExportLora.run(options, Progress.NONE, Cancel.NONE);
    }

    private List<Path> left() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    // --- results -------------------------------------------------------------------------------------------------------

    private static List<String> answers(Path path, List<AdapterSource> adapters) {
        List<Prompt> prompts = Goldens.read("data/base-test.jsonl").stream().limit(24)
                .map(line -> Prompt.text(line.get("text").asText().split("\n", 2)[0] + "\n")).toList();
        try (Model model = Model.load(path, Tiny.options().withAdapters(adapters), Progress.NONE, Cancel.NONE);
                Session session = model.session(Tiny.CONTEXT)) {
            return prompts.stream().map(prompt -> session.complete(prompt, Tiny.greedy(24)).text()).toList();
        }
    }

    @Test
    void answersAsTheBaseWithItsAdapterDoes() throws IOException {
        List<AdapterSource> adapters = List.of(new AdapterSource(Goldens.adapter(), 2f));
        ExportLoraReport report = run(options(adapters.getFirst()));
        assertEquals(answers(BASE, adapters), answers(out(), List.of()));
        assertFalse(answers(BASE, adapters).equals(answers(BASE, List.of())), "the adapter changes nothing: this test shows nothing");
        assertEquals(12, report.merged());
        assertEquals(38, report.tensors());
        assertEquals(Files.size(out()), report.bytes());
        ExportLoraReport.Verification verification = report.verification().orElseThrow();
        assertTrue(verification.largest() > 0 && verification.largest() < 0.05, verification.toString());
        assertEquals(List.of(out()), left());
    }

    /** Of all tensors, on this machine's CPU. Sums over the rank are in another order than ggml's: one unit in the last place is allowed. */
    @Test
    void equalsLlamaExportLora() throws IOException {
        assumeTrue(Goldens.has("llama-export-lora"), "it is not built where backends are loaded at run time");
        Path theirs = folder.resolve("theirs.gguf");
        Upstream.exportLora(BASE, theirs, "--lora-scaled", Goldens.adapter() + ":2");
        run(options(new AdapterSource(Goldens.adapter(), 2f)));
        try (GgufFile merged = GgufReader.read(out()); GgufFile expected = GgufReader.read(theirs)) {
            assertEquals(expected.metadata().integer("general.file_type"), merged.metadata().integer("general.file_type"));
            assertEquals(expected.tensors().size(), merged.tensors().size());
            for (TensorInfo tensor : expected.tensors()) {
                TensorInfo ours = merged.tensor(tensor.name()).orElseThrow();
                assertEquals(tensor.type(), ours.type(), tensor.name());
                boolean changed = tensor.name().matches("blk\\.\\d+\\.(attn_q|attn_v|ffn_down)\\.weight");
                assertTrue(changed ? differBy(expected.data(tensor), merged.data(ours)) <= 1
                        : expected.data(tensor).mismatch(merged.data(ours)) < 0, tensor.name());
            }
        }
    }

    /** Units in the last place of halves; where the sign differs, many. */
    private static int differBy(MemorySegment a, MemorySegment b) {
        short[] some = a.toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
        short[] others = b.toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
        assertEquals(some.length, others.length);
        return IntStream.range(0, some.length).map(i -> Math.abs(some[i] - others[i])).max().orElseThrow();
    }

    @Test
    void copiesWhatNoAdapterChanges() throws IOException {
        run(options(AdapterSource.of(Goldens.adapter())).withType(ExportType.F32).withVerify(false));
        try (GgufFile base = GgufReader.read(BASE); GgufFile merged = GgufReader.read(out())) {
            for (TensorInfo tensor : base.tensors()) {
                TensorInfo now = merged.tensor(tensor.name()).orElseThrow();
                boolean changed = tensor.name().matches("blk\\.\\d+\\.(attn_q|attn_v|ffn_down)\\.weight");
                assertEquals(changed ? GgmlType.F32 : tensor.type(), now.type(), tensor.name());
                assertTrue(changed || base.data(tensor).mismatch(merged.data(now)) < 0, tensor.name());
            }
            assertEquals(base.metadata(), merged.metadata());
        }
    }

    @Test
    void addsSeveralAdaptersOfDifferentTensors() throws IOException {
        Path other = TestFiles.adapter(folder.resolve("other.gguf"), 256, "llama", 0.1f, 3);
        List<AdapterSource> adapters = List.of(AdapterSource.of(Goldens.adapter()), new AdapterSource(other, 0.5f));
        run(ExportLoraOptions.of(BASE, adapters, out()).withType(ExportType.F32));
        assertEquals(answers(BASE, adapters), answers(out(), List.of()));
    }

    @ParameterizedTest
    @EnumSource(ExportType.class)
    void writesEveryTypeOverAQuantizedBase(ExportType type) throws IOException {
        Path base = folder.resolve("q8_0.gguf");
        Quantize.run(QuantizeOptions.of(BASE, base, QuantType.Q8_0), Progress.NONE, Cancel.NONE);
        var options = ExportLoraOptions.of(base, List.of(AdapterSource.of(Goldens.adapter())), out()).withType(type);
        boolean few = type == ExportType.Q2_K || type == ExportType.Q3_K;
        assertEquals(!few, run(options).verification().orElseThrow().tolerance().isPresent());
        GgmlType expected = type == ExportType.AUTO ? GgmlType.F16 : type == ExportType.SAME ? GgmlType.Q8_0
                : GgmlType.valueOf(type.name());
        try (GgufFile merged = GgufReader.read(out())) {
            assertEquals(expected, merged.tensor("blk.0.attn_q.weight").orElseThrow().type());
        }
    }

    // --- what cannot be done -------------------------------------------------------------------------------------------

    private <T extends BridgeException> T refused(Class<T> kind, ExportLoraOptions options, String... words) throws IOException {
        List<Path> before = left();
        T e = assertThrows(kind, () -> run(options));
        for (String word : words) {
            assertTrue(e.getMessage().contains(word), e.getMessage());
        }
        assertEquals(before, left());
        return e;
    }

    @Test
    void refusesWhatIsNoAdapterOfTheModel() throws IOException {
        Path narrow = TestFiles.adapter(folder.resolve("narrow.gguf"), 64, "llama", 0.1f, 1);
        Path other = TestFiles.adapter(folder.resolve("qwen.gguf"), 256, "qwen2", 0.1f, 1);
        refused(InvalidFileException.class, options(AdapterSource.of(narrow)), "blk.0.attn_q.weight.lora_a", "[256, 4]");
        refused(InvalidFileException.class, options(AdapterSource.of(other)), "qwen2");
        refused(InvalidFileException.class, options(AdapterSource.of(BASE)), "general.type");
        refused(InvalidFileException.class, options(AdapterSource.of(folder.resolve("none.gguf"))), "none.gguf");
        refused(UnsupportedModelException.class,
                ExportLoraOptions.of(Goldens.adapter(), List.of(AdapterSource.of(Goldens.adapter())), out()));
    }

    @Test
    void refusesAnExistingOutputAndItsOwnInputs() throws IOException {
        AdapterSource adapter = AdapterSource.of(Files.copy(Goldens.adapter(), folder.resolve("adapter.gguf")));
        Files.writeString(out(), "precious");
        refused(InvalidOptionException.class, options(adapter), "--force");
        assertEquals("precious", Files.readString(out()));
        refused(InvalidOptionException.class, ExportLoraOptions.of(BASE, List.of(adapter), adapter.path()).withForce(true), "input");
        run(options(adapter).withForce(true).withVerify(false));
        GgufReader.read(out()).close();
    }

    @Test
    void refusesWhatIsNoNumber() throws IOException {
        Path huge = TestFiles.adapter(folder.resolve("huge.gguf"), 256, "llama", 1e4f, 1);
        refused(UnsupportedModelException.class, options(AdapterSource.of(huge)), "blk.", "attn_", "f16");
    }

    @Test
    void refusesTypesThatCannotBeMade() throws IOException {
        Path imatrix = Goldens.fixture("quantize/imatrix.gguf");
        Path base = folder.resolve("small.gguf");
        QuantizeOptions quantize = QuantizeOptions.of(BASE, base, QuantType.IQ2_XS);
        Quantize.run(quantize.withImportance(new QuantizeOptions.Importance(java.util.Optional.of(imatrix), List.of(), List.of())),
                Progress.NONE, Cancel.NONE);
        refused(InvalidOptionException.class, ExportLoraOptions.of(base, List.of(AdapterSource.of(Goldens.adapter())), out())
                .withType(ExportType.SAME), "blk.", "iq2_xs");
    }

    @Test
    void cancelledItLeavesNothing() throws IOException {
        for (String phase : List.of("merge", "verify", "load")) {
            Cancel cancel = new Cancel();
            assertThrows(CancelledException.class, () -> ExportLora.run(options(AdapterSource.of(Goldens.adapter())), event -> {
                if (event.phase().equals(phase)) {
                    cancel.request();
                }
            }, cancel), phase);
            assertEquals(List.of(), left());
        }
    }

    @Test
    void progressGrowsToTheEnd() throws IOException {
        List<Progress.Event> events = new ArrayList<>();
        ExportLora.run(options(AdapterSource.of(Goldens.adapter())).withVerify(false), events::add, Cancel.NONE);
        long[] done = events.stream().mapToLong(Progress.Event::done).toArray();
        assertArrayEquals(java.util.Arrays.stream(done).sorted().toArray(), done);
        assertEquals(events.getLast().total(), events.getLast().done());
    }
}
