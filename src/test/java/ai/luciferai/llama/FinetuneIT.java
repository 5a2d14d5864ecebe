package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training on the embedded model: a skill that it lacks, git commands. */
class FinetuneIT {

    private static final int LINES = 48;

    @TempDir
    static Path folder;

    private static Path base;
    private static Path data;

    @BeforeAll
    static void prepare() throws IOException {
        base = EmbeddedModel.path();
        List<String> lines = Files.readAllLines(Path.of("src/test/fixtures/data/git-train.jsonl")).subList(0, LINES);
        data = Files.write(folder.resolve("train.jsonl"), lines);
    }

    /** One thread: the order of float additions, and so every bit, is then the same in each run. */
    private static FinetuneOptions options(String out) {
        return FinetuneOptions.of(base, data, folder.resolve(out))
                .withShape(LoraShape.defaults().withRank(8).withAlpha(16))
                .withSchedule(new Schedule(4e-3f, Schedule.Shape.LINEAR, 2))
                .withRun(TrainingRun.defaults().withEpochs(2).withBatchSize(8).withThreads(1));
    }

    private static FinetuneReport train(FinetuneOptions options) throws IOException {
        return Finetune.run(options, Progress.NONE, Cancel.NONE);
    }

    private static double mean(List<Double> losses) {
        return losses.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    @Test
    void lossFallsAndTheAdapterChangesAnswers() throws IOException {
        FinetuneOptions options = options("falls.gguf").withData(DataOptions.of(data).withLoss(DataOptions.Loss.RESPONSE));
        FinetuneReport report = train(options);
        assertEquals(12, report.steps());
        assertTrue(mean(report.losses().subList(9, 12)) < 0.7 * mean(report.losses().subList(0, 3)), () -> report.losses().toString());
        assertTrue(Files.readString(report.jsonFile()).contains("\"planned_steps\" : 12"));
        assertTrue(Files.readString(report.htmlFile()).contains("<svg"));
        try (Model model = Model.load(base); Adapter adapter = model.loadAdapter(options.out()); Session session = model.session()) {
            var greedy = GenerateOptions.defaults().withMaxTokens(16).withSampling(Sampling.greedy());
            Prompt prompt = Prompt.text("stage linka.txt\n");
            String before = session.complete(prompt, greedy).text();
            session.adapters(List.of(new AdapterScale(adapter, 1f)));
            assertNotEquals(before, session.complete(prompt, greedy).text());
        }
    }

    @Test
    void resumedTrainingEqualsAnUninterruptedOneBitForBit() throws IOException {
        FinetuneOptions whole = options("whole.gguf").withShape(LoraShape.defaults().withRank(4).withDropout(0.1f));
        train(whole);

        FinetuneOptions parts = options("parts.gguf").withShape(LoraShape.defaults().withRank(4).withDropout(0.1f));
        var cancel = new Cancel();
        FinetuneReport stopped = Finetune.run(parts, event -> {
            if (event.phase().equals("train") && event.done() == 5) {
                cancel.request();
            }
        }, cancel);
        assertTrue(stopped.stopped());
        assertEquals(5, stopped.steps());
        assertFalse(Files.exists(parts.out()));
        assertTrue(Files.exists(parts.stateFile()));

        FinetuneReport rest = train(parts.withResume(true));
        assertEquals(12, rest.steps());
        assertFalse(Files.exists(parts.stateFile()));
        assertArrayEquals(Files.readAllBytes(whole.out()), Files.readAllBytes(parts.out()));
    }

    @Test
    void packedTrainingEqualsUnpackedTraining() throws IOException {
        FinetuneReport packed = train(options("packed.gguf"));
        FinetuneReport apart = train(options("apart.gguf").withData(DataOptions.of(data).withPacking(false)));
        for (int i = 0; i < packed.steps(); i++) {
            // Sums of floats in another order, through twelve steps of AdamW.
            assertEquals(packed.losses().get(i), apart.losses().get(i), 1e-3, "step " + i);
        }
    }

    @Test
    void layerModeEqualsWholeMode() throws IOException {
        FinetuneReport whole = train(options("w.gguf"));
        FinetuneReport layers = train(options("l.gguf").withRun(options("l.gguf").run().withMemory(TrainingRun.Memory.LAYER)));
        assertTrue(layers.computeBytes() < whole.computeBytes());
        assertEquals(1, (double) Finetune.plan(options("p.gguf"), Progress.NONE, Cancel.NONE).estimatedBytes() / whole.computeBytes(), 0.15);
        for (int i = 0; i < whole.steps(); i++) {
            assertEquals(whole.losses().get(i), layers.losses().get(i), 1e-3, "step " + i);
        }
    }

    @Test
    void planSaysWhatWillHappen() throws IOException {
        Finetune.Plan plan = Finetune.plan(options("plan.gguf"), Progress.NONE, Cancel.NONE);
        assertEquals(LINES, plan.samples());
        assertEquals(12, plan.steps());
        assertEquals(28, plan.adaptedTensors());
        assertEquals(List.of(new Finetune.Span("<s>", false), new Finetune.Span("stage linka.txt\ngit add linka.txt</s>", true)),
                plan.examples().getFirst());
    }

    @Test
    void evaluatesAndStopsEarly() throws IOException {
        FinetuneOptions options = options("early.gguf").withData(DataOptions.of(data).withEvalSplit(0.25f))
                .withSchedule(new Schedule(1e-9f, Schedule.Shape.CONSTANT, 0))
                .withRun(options("x").run().withEpochs(50).withEvalEvery(1).withEarlyStopping(3));
        FinetuneReport report = train(options);
        assertFalse(report.stopped());
        assertTrue(report.steps() < report.plannedSteps(), () -> report.steps() + " steps");
        assertTrue(Files.exists(options.out()));
    }

    /** The last evaluation is of the adapter that is written, also where the steps do not end with one; the report says what was learnt and how. */
    @Test
    void theEndIsEvaluated() throws IOException {
        FinetuneOptions options = options("end.gguf").withData(DataOptions.of(data).withEval(data).withTemplate(ChatTemplate.named("chatml"))
                .withLoss(DataOptions.Loss.RESPONSE)).withRun(options("x").run().withEpochs(1).withEvalEvery(4));
        FinetuneReport report = train(options);
        assertEquals(List.of(0, 4, 6), report.evaluations().stream().map(FinetuneReport.Evaluation::step).toList());
        assertEquals(1, report.evaluations().stream().filter(e -> e.step() == 6).count());
        String json = Files.readString(report.jsonFile());
        for (String row : List.of("\"loss\" : \"response\"", "\"chat template\" : \"chatml\"", "\"precision, memory\" : \"auto, whole\"",
                "\"evaluation data\" : \"train.jsonl\"")) {
            assertTrue(json.contains(row), () -> row + " in " + json);
        }
    }

    private static void refused(Class<? extends BridgeException> type, FinetuneOptions options, String... parts) {
        String message = assertThrows(type, () -> train(options)).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), () -> message + "\nlacks: " + part);
        }
        assertFalse(Files.exists(options.out()));
    }

    private static FinetuneOptions with(String lines) throws IOException {
        Path file = Files.createTempFile(folder, "bad", ".jsonl");
        Files.writeString(file, lines);
        return options("bad.gguf").withData(DataOptions.of(file));
    }

    @Test
    void badDataIsNamedByLineAndReason() throws IOException {
        refused(InvalidFileException.class, options("bad.gguf").withData(DataOptions.of(folder.resolve("none.jsonl"))), "none.jsonl");
        refused(InvalidFileException.class, with(""), "at least one sample");
        refused(InvalidFileException.class, with("{\"text\": \"a\\nb\"}\n{\"text\": \n"), "line 2", "malformed JSON", "--skip-bad-lines");
        refused(InvalidFileException.class, with("{\"txt\": \"a\"}"), "line 1", "[txt]");
        refused(InvalidFileException.class, with("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}"), "without one of the assistant");
    }

    @Test
    void badOptionsAreNamed() {
        refused(InvalidOptionException.class, options("t.gguf").withShape(LoraShape.defaults().withTargets(List.of("attn_x"))), "attn_x",
                "attn_q");
        assertThrows(InvalidOptionException.class, () -> LoraShape.defaults().withRank(0));
        refused(InvalidFileException.class, options("r.gguf").withResume(true), "r.gguf.state");
    }
}
