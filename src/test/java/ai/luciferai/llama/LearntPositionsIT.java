package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.convert.GeneratedCheckpoint;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models whose table of positions has 128 rows: llama.cpp rounds a context up to 256, and asserts on position 128. */
class LearntPositionsIT {

    private static final int POSITIONS = 128;
    private static final String TEXT = "list files in src directory and show the largest of them ".repeat(40);

    @TempDir
    Path folder;

    private Model model(String name) throws Exception {
        GeneratedCheckpoint.write(name, folder.resolve(name));
        Path file = folder.resolve("model.gguf");
        Convert.run(ConvertOptions.of(folder.resolve(name)).withOutfile(file), Progress.NONE, Cancel.NONE);
        return Model.load(file, Tiny.options());
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "starcoder"})
    void aContextEndsWhereTheTableDoes(String name) throws Exception {
        try (Model model = model(name)) {
            assertEquals(POSITIONS, model.info().contextSize());
            for (int size : new int[] {ContextOptions.AUTO_SIZE, ContextOptions.MODEL_SIZE, POSITIONS}) {
                try (Session session = model.session(Tiny.CONTEXT.withContextSize(size))) {
                    assertEquals(POSITIONS, session.contextSize());
                    Completion completion = session.complete(Prompt.text("list"), Tiny.endless());
                    assertEquals(StopReason.CONTEXT_FULL, completion.stopReason());
                    assertEquals(POSITIONS, session.tokens().length);
                    assertThrows(ContextFullException.class, () -> session.complete(Prompt.text(TEXT), Tiny.greedy(1)));
                }
            }
            List<Prompt> prompts = List.of(Prompt.text("list"), Prompt.text("show all of them"), Prompt.text("go"));
            for (Completion completion : model.generateAll(prompts, Tiny.endless(), Tiny.CONTEXT, Progress.NONE, Cancel.NONE)) {
                assertEquals(StopReason.CONTEXT_FULL, completion.stopReason());
            }
            Completion alone = model.generateAll(prompts, Tiny.endless(), Tiny.CONTEXT.withCache(KvCache.defaults().withUnified(true)),
                    Progress.NONE, Cancel.NONE).getFirst();
            assertEquals(StopReason.CONTEXT_FULL, alone.stopReason());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "starcoder"})
    void moreThanTheTableHasIsRefusedWithNumbers(String name) throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), TEXT);
        try (Model model = model(name)) {
            Path file = model.info().path();
            refuses(() -> model.session(Tiny.CONTEXT.withContextSize(POSITIONS + 1)));
            refuses(() -> model.generateAll(List.of(Prompt.text("a"), Prompt.text("b")), Tiny.greedy(1),
                    Tiny.CONTEXT.withContextSize(300), Progress.NONE, Cancel.NONE));
            refuses(() -> Imatrix.run(ImatrixOptions.of(file, text, folder.resolve("out.gguf")).withChunks(200, 0, -1), Progress.NONE,
                    Cancel.NONE));
            refuses(() -> Evaluate.run(EvaluateOptions.of(List.of(file), EvaluateOptions.Reading.of(text).withChunks(200, -1)), Progress.NONE,
                    Cancel.NONE));
            refuses(() -> Bench.run(Bench.Request.defaults().withModel(file).withTests(List.of(new Bench.Test(200, 0))), Progress.NONE,
                    Cancel.NONE));
            try (Embedder embedder = model.embedder()) {
                assertEquals(POSITIONS, embedder.mostTokens());
                assertThrows(ContextFullException.class, () -> embedder.embed(TEXT));
                String half = TEXT.substring(0, 100);
                List<float[]> together = embedder.embedAll(List.of(half, half, half));
                assertArrayEquals(together.get(0), together.get(2), 1e-5f);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "starcoder"})
    void withoutASizeEveryVerbTakesWhatTheTableHas(String name) throws Exception {
        Path text = Files.writeString(folder.resolve("text.txt"), TEXT);
        Path matrix = folder.resolve("out.gguf");
        try (Model model = model(name)) {
            Path file = model.info().path();
            ImatrixReport collected = Imatrix.run(ImatrixOptions.of(file, text, matrix), Progress.NONE, Cancel.NONE);
            assertEquals(POSITIONS, collected.options().chunkSize());
            EvaluateReport read = Evaluate.run(EvaluateOptions.of(List.of(file), EvaluateOptions.Reading.of(text)), Progress.NONE, Cancel.NONE);
            assertEquals(POSITIONS, read.options().reading().chunkSize());
            assertTrue(read.models().getFirst().perplexity().isPresent());
            Bench.Report measured = Bench.run(Bench.Request.defaults().withModel(file).withRepetitions(1), Progress.NONE, Cancel.NONE);
            assertEquals(List.of("pp" + POSITIONS, "tg" + POSITIONS), measured.results().stream().map(r -> r.test().name()).toList());
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private static void refuses(Work work) {
        BridgeException e = assertThrows(InvalidOptionException.class, work::run);
        assertTrue(e.getMessage().contains(POSITIONS + " positions"), e.getMessage());
    }
}
