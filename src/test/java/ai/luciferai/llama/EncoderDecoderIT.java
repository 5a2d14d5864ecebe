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
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** T5: the encoder reads the prompt, the decoder answers; tokens are those of {@code reference.cpp}, as in {@link LogitsIT}. */
class EncoderDecoderIT {

    private static final GenerateOptions OPTIONS = Tiny.greedy(12);
    private static final List<String> PROMPTS = List.of("hello world", "the other one");

    @TempDir
    static Path folder;

    private static Path file;

    @BeforeAll
    static void convert() throws Exception {
        file = converted("t5");
    }

    private static Path converted(String name) throws Exception {
        Path checkpoint = folder.resolve(name);
        Path model = folder.resolve(name + ".gguf");
        if (!Files.exists(model)) {
            GeneratedCheckpoint.write(name, checkpoint);
            Convert.run(ConvertOptions.of(checkpoint).withOutfile(model), Progress.NONE, Cancel.NONE);
        }
        return model;
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

    /** Vectors are the encoder's, and those of another implementation. */
    @ParameterizedTest
    @ValueSource(strings = {"t5", "t5-encoder"})
    void embedsAsTransformersDoes(String name) throws Exception {
        Path model = converted(name);
        try (Model loaded = Model.load(model, Tiny.options());
                Embedder embedder = loaded.embedder(EmbedOptions.defaults().withContext(Tiny.CONTEXT))) {
            assertEquals(Pooling.MEAN, embedder.pooling());
            List<JsonNode> goldens = Goldens.parse(Files.readString(Goldens.fixture("golden/t5-embeddings.json"))).valueStream()
                    .filter(golden -> golden.get("checkpoint").asText().equals(name)).toList();
            List<float[]> vectors = embedder.embedAll(goldens.stream().map(golden -> golden.get("text").asText()).toList());
            for (int i = 0; i < vectors.size(); i++) {
                assertArrayEquals(Goldens.ints(goldens.get(i).get("tokens")), loaded.tokenize(goldens.get(i).get("text").asText()));
                for (int j = 0; j < vectors.get(i).length; j++) {
                    assertEquals(goldens.get(i).get("vector").get(j).asDouble(), vectors.get(i)[j], 1e-3, "order of sums, and F16 weights");
                }
            }
        }
    }

    @Test
    void anEncoderAloneOpensNoSession() throws Exception {
        try (Model model = Model.load(converted("t5-encoder"), Tiny.options())) {
            var refused = assertThrows(UnsupportedModelException.class, model::session);
            assertTrue(refused.getMessage().contains("embed"), refused.getMessage());
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
