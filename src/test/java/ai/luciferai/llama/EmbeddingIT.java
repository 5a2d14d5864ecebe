package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Texts as vectors: a causal model and an encoder. */
class EmbeddingIT {

    /** Several texts at a time sum in another order than one alone. */
    private static final float TOLERANCE = 1e-4f;
    private static final EmbedOptions OPTIONS = EmbedOptions.defaults().withContext(Tiny.CONTEXT);

    @TempDir
    static Path folder;

    private static Model causal;
    private static Model encoder;

    @BeforeAll
    static void load() {
        causal = Tiny.load();
        encoder = Model.load(TestFiles.encoder(folder.resolve("bert.gguf"), 1), Tiny.options());
    }

    @AfterAll
    static void close() {
        causal.close();
        encoder.close();
    }

    private static double length(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        return Math.sqrt(squares);
    }

    @Test
    void vectorsHaveLengthOneUnlessAskedOtherwise() {
        try (Embedder one = causal.embedder(OPTIONS); Embedder raw = causal.embedder(OPTIONS.withNormalise(false))) {
            assertEquals(Pooling.LAST, one.pooling());
            float[] vector = one.embed("list files");
            assertEquals(256, vector.length);
            assertEquals(one.dimensions(), vector.length);
            assertEquals(1, length(vector), 1e-5);
            assertTrue(Math.abs(length(raw.embed("list files")) - 1) > 1e-3);
            assertEquals(1, Embedder.similarity(vector, raw.embed("list files")), 1e-5);
        }
    }

    @Test
    void severalTextsAtATimeGiveWhatEachGivesAlone() {
        List<String> texts = List.of("list files", "show all files", "go home", "disk usage", "count the lines", "delete it", "a");
        for (Pooling pooling : List.of(Pooling.LAST, Pooling.MEAN, Pooling.CLS)) {
            try (Embedder embedder = causal.embedder(OPTIONS.withPooling(pooling))) {
                List<float[]> together = embedder.embedAll(texts);
                for (int i = 0; i < texts.size(); i++) {
                    assertArrayEquals(embedder.embed(texts.get(i)), together.get(i), TOLERANCE, pooling + " " + texts.get(i));
                }
            }
        }
    }

    @Test
    void meanIsTheMeanOfTheTokens() {
        try (Embedder mean = causal.embedder(OPTIONS.withPooling(Pooling.MEAN).withNormalise(false));
                Embedder none = causal.embedder(OPTIONS.withPooling(Pooling.NONE).withNormalise(false))) {
            List<float[]> tokens = none.embedTokens("list files");
            assertEquals(causal.tokenize("list files").length, tokens.size());
            float[] expected = new float[256];
            tokens.forEach(t -> {
                for (int i = 0; i < t.length; i++) {
                    expected[i] += t[i] / tokens.size();
                }
            });
            assertArrayEquals(expected, mean.embed("list files"), 1e-3f);
            assertThrows(InvalidOptionException.class, () -> none.embed("x"));
            assertThrows(InvalidOptionException.class, () -> mean.embedTokens("x"));
        }
    }

    @Test
    void anEncoderEmbeds() {
        try (Embedder embedder = encoder.embedder(OPTIONS)) {
            assertEquals(Pooling.MEAN, embedder.pooling());
            assertEquals(32, embedder.dimensions());
            List<String> texts = new ArrayList<>(List.of("red house", "red car", "blue sky", "green"));
            List<float[]> together = embedder.embedAll(texts);
            for (int i = 0; i < texts.size(); i++) {
                assertEquals(1, length(together.get(i)), 1e-5);
                assertArrayEquals(embedder.embed(texts.get(i)), together.get(i), TOLERANCE);
            }
            assertTrue(Embedder.similarity(together.get(0), together.get(2)) < 0.9999);
        }
    }

    @Test
    void anEncoderDoesNotGenerate() {
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class, encoder::session);
        assertTrue(e.getMessage().contains("encoder"), e.getMessage());
    }

    @Test
    void aTextThatIsTooLongIsRefusedWithNumbers() {
        try (Embedder embedder = encoder.embedder(OPTIONS)) {
            assertEquals(64, embedder.mostTokens());
            ContextFullException e = assertThrows(ContextFullException.class, () -> embedder.embed("red ".repeat(100)));
            assertEquals(102, e.needed());
            assertEquals(64, e.capacity());
            assertEquals(32, embedder.embed("red ".repeat(60)).length);
        }
    }

    @Test
    void moreTextsThanFitGoInSeveralBatches() {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            texts.add("red ".repeat(1 + i % 7) + "house");
        }
        try (Embedder embedder = encoder.embedder(OPTIONS.withContext(Tiny.CONTEXT.withSequences(3).withBatchSize(64)))) {
            List<float[]> together = embedder.embedAll(texts);
            assertEquals(40, together.size());
            assertArrayEquals(embedder.embed(texts.get(39)), together.get(39), TOLERANCE);
        }
    }
}
