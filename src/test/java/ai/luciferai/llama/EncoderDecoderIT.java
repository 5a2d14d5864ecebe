package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.convert.GeneratedCheckpoint;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** T5: the encoder reads the prompt, the decoder answers; tokens are those of {@code reference.cpp}, as in {@link LogitsIT}. */
class EncoderDecoderIT {

    private static final GenerateOptions OPTIONS = Tiny.greedy(12);
    private static final List<String> PROMPTS = List.of("hello world", "the other one");

    @TempDir
    static Path folder;

    private static Path file;

    @BeforeAll
    static void convert() throws Exception {
        GeneratedCheckpoint.write("t5", folder.resolve("t5"));
        file = folder.resolve("t5.gguf");
        Convert.run(ConvertOptions.of(folder.resolve("t5")).withOutfile(file), Progress.NONE, Cancel.NONE);
    }

    private static int[] expected(Model model, String prompt) throws Exception {
        return Goldens.ints(Goldens.reference(file, model.tokenize(prompt), "-n", "12").get("tokens"));
    }

    @Test
    void answersAsTheReferenceProgram() throws Exception {
        try (Model model = Model.load(file, Tiny.options()); Session session = model.session(Tiny.CONTEXT)) {
            assertTrue(model.info().kind().encoder() && model.info().kind().decoder());
            for (String prompt : List.of(PROMPTS.get(0), PROMPTS.get(1), PROMPTS.get(0))) {
                int[] expected = expected(model, prompt);
                assertTrue(IntStream.of(expected).distinct().count() > 1, "a model that always says the same proves nothing");
                assertArrayEquals(expected, session.complete(Prompt.text(prompt), OPTIONS).tokenIds(), prompt);
            }
        }
    }

    @Test
    void answersManyPromptsOneByOne() throws Exception {
        try (Model model = Model.load(file, Tiny.options())) {
            List<Completion> all = model.generateAll(PROMPTS.stream().map(Prompt::text).toList(), OPTIONS, Tiny.CONTEXT, Progress.NONE,
                    Cancel.NONE);
            for (int i = 0; i < PROMPTS.size(); i++) {
                assertArrayEquals(expected(model, PROMPTS.get(i)), all.get(i).tokenIds());
            }
        }
    }

    @Test
    void refusesWhatAnEncoderCannotDo() {
        try (Model model = Model.load(file, Tiny.options()); Session session = model.session(Tiny.CONTEXT.withUbatchSize(8))) {
            assertThrows(ContextFullException.class, () -> session.complete(Prompt.tokens(new int[9]), OPTIONS));
            var refused = assertThrows(UnsupportedModelException.class, () -> session.save(folder.resolve("state")));
            assertTrue(refused.getMessage().contains("encoder-decoder"), refused.getMessage());
            assertEquals(1, session.complete(Prompt.tokens(new int[] {5}), Tiny.greedy(1)).tokenIds().length);
        }
    }
}
