package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.TinyModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Texts of any length and kind are tokenized on any thread, and vocabularies with the longest words that are let through are loaded. Which
 * tokens such texts have is shown by native/test/split-test.cpp.
 */
class LongTextIT {

    private static final long SMALL_STACK = 256 << 10;
    private static final int LENGTH = 20_000;
    private static final int LONG = 1_000_000;

    private static final List<String> PARTS = List.of("=", " ", "a", "1", "中", "\n", "x y ", "\u0001");

    @TestFactory
    Stream<DynamicTest> eachVocabularyTokenizesLongRunsOnASmallStack() throws IOException {
        try (Stream<Path> files = Files.list(Goldens.upstreamSource().resolve("models"))) {
            List<Path> vocabularies = files.filter(f -> f.toString().endsWith(".gguf")).sorted().toList();
            assertFalse(vocabularies.isEmpty());
            return vocabularies.stream()
                    .map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> onASmallStack(() -> tokenizeRuns(file))));
        }
    }

    /** A text that is one word to some, and many to others. */
    @ParameterizedTest
    @ValueSource(strings = {"llama-spm", "llama-bpe", "deepseek-llm", "gemma-4", "bert-bge"})
    void aCancelEndsTheTokenizing(String vocabulary) throws IOException {
        Path file = Goldens.upstreamSource().resolve("models/ggml-vocab-" + vocabulary + ".gguf");
        try (Model model = Model.load(file, ModelOptions.defaults().withVocabOnly(true))) {
            var cancel = new Cancel();
            cancel.request();
            for (String part : PARTS) {
                String text = part.repeat(LONG / part.length());
                assertThrows(CancelledException.class, () -> model.tokenize(text, TokenizeOptions.plain(), cancel), vocabulary + ": " + part);
            }
        }
    }

    @Test
    void whatCannotFitIsRefusedBeforeItIsTokenized() {
        String text = "list files ".repeat(LONG / 10);
        try (Model model = Tiny.load(); Session session = model.session(Tiny.CONTEXT); Embedder embedder = model.embedder()) {
            var refused = assertThrows(ContextFullException.class, () -> session.complete(Prompt.text(text), Tiny.greedy(1)));
            assertTrue(refused.needed() > refused.capacity() && refused.needed() < model.tokenize(text).length, refused.getMessage());
            assertThrows(ContextFullException.class, () -> embedder.embed(text));
        }
    }

    /** llama.cpp builds its tries of such vocabularies by calling itself for each byte. */
    @ParameterizedTest
    @ValueSource(strings = {"t5", "rwkv"})
    void triesOfTheLongestWordsFitASmallStack(String tokenizer, @TempDir Path folder) throws Exception {
        Path file = folder.resolve("vocabulary.gguf");
        TinyModel.writeVocabulary(file, tokenizer, "<unk>", "</s>", "<", "x", "\n", "x".repeat(1000));
        onASmallStack(() -> {
            try (Model model = Model.load(file, ModelOptions.defaults().withVocabOnly(true))) {
                assertEquals(5, model.tokenize("x".repeat(1000), TokenizeOptions.plain())[0]);
            }
        });
    }

    private static void tokenizeRuns(Path file) {
        try (Model model = Model.load(file, ModelOptions.defaults().withVocabOnly(true))) {
            boolean keepsText = isByteLevel(file);
            for (String part : PARTS) {
                String text = part.repeat(LENGTH / part.length());
                int[] tokens = model.tokenize(text, TokenizeOptions.plain());
                if (keepsText) { // others drop blanks
                    assertEquals(text, model.detokenize(tokens, true), part);
                }
            }
        }
    }

    private static boolean isByteLevel(Path file) {
        try (GgufFile vocabulary = GgufReader.read(file)) {
            return vocabulary.metadata().string("tokenizer.ggml.model").equals("gpt2");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void onASmallStack(Runnable work) throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = new Thread(null, work, "small stack", SMALL_STACK);
        thread.setUncaughtExceptionHandler((t, e) -> failure.set(e));
        thread.start();
        thread.join();
        if (failure.get() != null) {
            throw new AssertionError(failure.get());
        }
    }
}
