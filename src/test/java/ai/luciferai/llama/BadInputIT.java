package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What users get wrong: each is a typed exception whose message helps, and the library goes on. */
class BadInputIT {

    @TempDir
    Path folder;

    private static byte[] good;

    @BeforeAll
    static void read() throws IOException {
        good = Files.readAllBytes(EmbeddedModel.path());
    }

    /** After every fault the same process still answers. */
    @AfterEach
    void stillAnswers() {
        try (Model model = Tiny.load(); Session session = model.session(Tiny.CONTEXT)) {
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    private static <T extends BridgeException> T refuses(Class<T> type, Executable work, String... words) {
        T e = assertThrows(type, work);
        for (String word : words) {
            assertTrue(e.getMessage().contains(word), "'" + word + "' in: " + e.getMessage());
        }
        return e;
    }

    private Path file(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    @Test
    void aFileThatIsNotThere() {
        refuses(InvalidFileException.class, () -> Model.load(folder.resolve("none.gguf")), "none.gguf");
    }

    @Test
    void aFolder() {
        refuses(InvalidFileException.class, () -> Model.load(folder), folder.toString());
    }

    @Test
    void anEmptyFile() throws IOException {
        Path empty = file("empty.gguf", new byte[0]);
        refuses(InvalidFileException.class, () -> Model.load(empty), "empty.gguf");
    }

    @Test
    void anotherKindOfFile() throws IOException {
        Path text = file("text.gguf", "This is no model, it is a text of some length.".getBytes());
        refuses(InvalidFileException.class, () -> Model.load(text), "text.gguf", "GGUF");
    }

    @Test
    void aFileThatEndsTooEarly() throws IOException {
        long seed = 3;
        Random random = new Random(seed);
        for (int i = 0; i < 40; i++) {
            int bytes = i < 20 ? random.nextInt(50_000) : random.nextInt(good.length);
            Path cut = file("cut.gguf", Arrays.copyOf(good, bytes));
            refuses(InvalidFileException.class, () -> Model.load(cut), "cut.gguf");
        }
    }

    @Test
    void aVersionOfTheFuture() throws IOException {
        byte[] future = good.clone();
        future[4] = 99;
        Path file = file("future.gguf", future);
        BridgeException e = assertThrows(BridgeException.class, () -> Model.load(file));
        assertTrue(e.getMessage().contains("99"), e.getMessage());
    }

    @Test
    void anUnknownArchitecture() {
        Path alien = TestFiles.copy(EmbeddedModel.path(), folder.resolve("alien.gguf"),
                m -> m.string("general.architecture", "alien"));
        BridgeException e = assertThrows(BridgeException.class, () -> Model.load(alien));
        assertTrue(e.getMessage().contains("alien"), e.getMessage());
    }

    @Test
    void anUnknownDevice() {
        refuses(InvalidOptionException.class,
                () -> Model.load(EmbeddedModel.path(), Tiny.options().withDevices(List.of("CUDA7"))), "device", "CPU", "CUDA7");
    }

    @Test
    void moreGpuLayersThanThereAre() {
        for (GpuLayers layers : List.of(GpuLayers.of(5), GpuLayers.of(99), GpuLayers.of(Integer.MAX_VALUE), GpuLayers.ALL, GpuLayers.AUTO)) {
            Model.load(EmbeddedModel.path(), ModelOptions.defaults().withGpuLayers(layers)).close();
        }
    }

    @Test
    void aTensorSplitForDevicesThatAreNotThere() {
        ModelOptions options = ModelOptions.defaults()
                .withPlacement(Placement.defaults().withTensorSplit(List.of(1f, 2f, 3f, 4f, 5f, 6f, 7f)));
        refuses(InvalidOptionException.class, () -> Model.load(EmbeddedModel.path(), options), "tensor-split");
    }

    @Test
    void aMetadataOverrideThatDoesNotFit() {
        ModelOptions options = Tiny.options().withKvOverrides(List.of(KvOverride.of("llama.block_count", "many")));
        refuses(InvalidOptionException.class, () -> Model.load(EmbeddedModel.path(), options), "override-kv", "llama.block_count",
                "many");
        ModelOptions heads = Tiny.options().withKvOverrides(List.of(KvOverride.of("llama.attention.head_count", 7L)));
        refuses(InvalidOptionException.class, () -> Model.load(EmbeddedModel.path(), heads), "override-kv", "llama.attention.head_count=7");
        ModelOptions name = Tiny.options().withKvOverrides(List.of(KvOverride.of("tokenizer.ggml.add_bos_token", false)));
        try (Model model = Model.load(EmbeddedModel.path(), name)) {
            assertEquals(false, model.info().special().addBos());
        }
    }

    @Test
    void whatTheSamplerCannotTake() {
        try (Model model = Tiny.load(); Session session = model.session(Tiny.CONTEXT)) {
            Prompt prompt = Prompt.text(Tiny.QUESTION);
            refuses(InvalidOptionException.class, () -> session.complete(prompt,
                    Tiny.greedy(4).withGrammar(Grammar.gbnf("root ::= nowhere"))), "grammar");
            refuses(InvalidOptionException.class, () -> session.complete(prompt,
                    Tiny.greedy(4).withGrammar(Grammar.gbnf("this is (not a grammar"))), "grammar");
            refuses(InvalidOptionException.class, () -> session.complete(prompt,
                    Tiny.greedy(4).withJsonSchema("{\"type\": \"banana\"}")), "chema");
            refuses(InvalidOptionException.class, () -> session.complete(prompt,
                    Tiny.greedy(4).withJsonSchema("{broken")), "chema");
            refuses(InvalidOptionException.class, () -> session.complete(prompt,
                    Tiny.greedy(4).withSampling(Sampling.greedy().withOrder(List.of("no_such_sampler")))), "no_such_sampler");
            assertEquals("ls", session.complete(prompt, Tiny.greedy(9)).text());
        }
    }

    @Test
    void promptsThatCannotBe() {
        try (Model model = Tiny.load(); Session session = model.session(Tiny.CONTEXT)) {
            refuses(InvalidOptionException.class, () -> session.complete(Prompt.tokens(), Tiny.greedy(4)), "prompt");
            refuses(InvalidOptionException.class, () -> session.complete(Prompt.tokens(1, 5_000), Tiny.greedy(4)), "prompt",
                    "1023", "5000");
            refuses(InvalidOptionException.class, () -> session.complete(Prompt.tokens(-1), Tiny.greedy(4)), "prompt");
            refuses(InvalidOptionException.class,
                    () -> session.complete(Prompt.text("", TokenizeOptions.plain()), Tiny.greedy(4)), "prompt");
            session.complete(Prompt.text("a\0b \uD800 c"), Tiny.greedy(4));
        }
    }

    @Test
    void contextsThatCannotBe() {
        try (Model model = Tiny.load()) {
            assertThrows(BridgeException.class, () -> model.session(Tiny.CONTEXT.withContextSize(Integer.MAX_VALUE)));
            assertThrows(BridgeException.class, () -> model.session(Tiny.CONTEXT.withThreads(100_000)));
        }
    }

    @Test
    void aVocabularyAloneOnlyTokenizes() {
        try (Model model = Model.load(EmbeddedModel.path(), Tiny.options().withVocabOnly(true))) {
            assertTrue(model.tokenize("list files").length > 0);
            refuses(InvalidOptionException.class, model::session, "vocab-only");
            refuses(InvalidOptionException.class, model::embedder, "vocab-only");
        }
    }

    @Test
    void aModelWithoutVocabularyCanOnlyBeMeasured() {
        Path bare = TestFiles.copy(EmbeddedModel.path(), folder.resolve("bare.gguf"), m -> {
            for (String key : List.of("tokens", "token_type", "scores", "merges", "pre", "bos_token_id", "eos_token_id",
                    "unknown_token_id", "padding_token_id", "add_bos_token", "add_eos_token", "eot_token_id", "add_space_prefix",
                    "chat_template")) {
                m.remove("tokenizer.ggml." + key);
            }
            return m.remove("tokenizer.chat_template").string("tokenizer.ggml.model", "none").uint32("llama.vocab_size", 1024);
        });
        try (Model model = Model.load(bare, Tiny.options())) {
            assertEquals(1024, model.info().shape().vocabulary());
            refuses(UnsupportedModelException.class, model::session, "vocabulary", "bare.gguf");
            refuses(UnsupportedModelException.class, model::embedder, "vocabulary");
            refuses(UnsupportedModelException.class, () -> model.tokenize("x"), "vocabulary");
        }
        Bench.Request one = Bench.Request.defaults().withModel(bare).withContextOptions(Tiny.CONTEXT)
                .withTests(List.of(new Bench.Test(4, 2))).withRepetitions(1);
        assertEquals(1, Bench.run(one, Progress.NONE, Cancel.NONE).results().size());
    }

    /** Samplers would make something of it, and most of the time nothing. */
    @Test
    void anAdapterOfNoNumbers() {
        Path adapter = TestFiles.adapter(folder.resolve("nan.gguf"), 256, "llama", Float.NaN, 1);
        try (Model model = Tiny.load(); Session session = model.session(Tiny.CONTEXT); Adapter broken = model.loadAdapter(adapter)) {
            session.adapters(List.of(new AdapterScale(broken, 1)));
            refuses(BridgeException.class, () -> session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)), "logits are not numbers");
            session.adapters(List.of());
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
        ModelOptions options = Tiny.options().withAdapters(List.of(new AdapterSource(adapter, 1)));
        try (Model model = Model.load(EmbeddedModel.path(), options)) {
            List<Prompt> prompts = List.of(Prompt.text("a"), Prompt.text("b"));
            refuses(BridgeException.class, () -> model.generateAll(prompts, Tiny.greedy(9)), "logits are not numbers");
            try (Embedder embedder = model.embedder()) {
                refuses(BridgeException.class, () -> embedder.embed("list files"), "not a vector of numbers");
            }
        }
    }
}
