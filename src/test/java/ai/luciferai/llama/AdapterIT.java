package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ClosedException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** LoRA adapters at run time. */
class AdapterIT {

    private static final GenerateOptions OPTIONS = Tiny.endless().withMaxTokens(12).withLogprobs(0);

    @TempDir
    static Path folder;

    private static Model model;
    private static Path strong;

    @BeforeAll
    static void load() {
        model = Tiny.load();
        strong = TestFiles.adapter(folder.resolve("strong.gguf"), 256, "llama", 0.3f, 1);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Completion complete(Session session) {
        return session.complete(Prompt.text(Tiny.QUESTION), OPTIONS);
    }

    @Test
    void addsRescalesAndRemovesWithoutReloading() {
        try (Adapter adapter = model.loadAdapter(strong); Session session = model.session(Tiny.CONTEXT)) {
            Completion base = complete(session);
            session.adapters(List.of(new AdapterScale(adapter, 1f)));
            assertEquals(0, session.tokens().length);
            Completion full = complete(session);
            assertFalse(Arrays.equals(base.tokenIds(), full.tokenIds()));
            session.adapters(List.of(new AdapterScale(adapter, 0.02f)));
            assertTrue(complete(session).tokens().getFirst().logprob() != full.tokens().getFirst().logprob());
            session.adapters(List.of(new AdapterScale(adapter, 0f)));
            assertArrayEquals(base.tokenIds(), complete(session).tokenIds());
            session.adapters(List.of());
            assertArrayEquals(base.tokenIds(), complete(session).tokenIds());
            assertEquals(List.of(), session.adapters());
        }
    }

    @Test
    void adaptersOfTheModelAreActiveInEverySession() {
        ModelOptions options = Tiny.options().withAdapters(List.of(AdapterSource.of(strong)));
        try (Model adapted = Model.embedded(options, Progress.NONE, Cancel.NONE);
                Session session = adapted.session(Tiny.CONTEXT);
                Adapter adapter = model.loadAdapter(strong);
                Session plain = model.session(Tiny.CONTEXT)) {
            assertEquals(1, session.adapters().size());
            plain.adapters(List.of(new AdapterScale(adapter, 1f)));
            Completion expected = complete(plain);
            assertArrayEquals(expected.tokenIds(), complete(session).tokenIds());
            assertArrayEquals(expected.tokenIds(),
                    adapted.generateAll(List.of(Prompt.text(Tiny.QUESTION)), OPTIONS).getFirst().tokenIds());
            session.adapters(List.of());
            assertFalse(Arrays.equals(expected.tokenIds(), complete(session).tokenIds()));
        }
    }

    @Test
    void anAdapterInUseCannotBeClosed() {
        Adapter adapter = model.loadAdapter(strong);
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.adapters(List.of(new AdapterScale(adapter, 1f)));
            assertThrows(BusyException.class, adapter::close);
            session.adapters(List.of());
            adapter.close();
            adapter.close();
            assertThrows(ClosedException.class, () -> session.adapters(List.of(new AdapterScale(adapter, 1f))));
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void anAdapterOfAnotherShapeNamesTheTensor() {
        Path narrow = TestFiles.adapter(folder.resolve("narrow.gguf"), 64, "llama", 0.1f, 1);
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> model.loadAdapter(narrow));
        assertTrue(e.getMessage().contains("blk.0.attn_q.weight.lora_a") && e.getMessage().contains("[256, 256]")
                && e.getMessage().contains("[64, 4]"), e.getMessage());
    }

    @Test
    void anAdapterOfAnotherArchitectureIsRefused() {
        Path other = TestFiles.adapter(folder.resolve("qwen.gguf"), 256, "qwen2", 0.1f, 1);
        InvalidFileException e = assertThrows(InvalidFileException.class, () -> model.loadAdapter(other));
        assertTrue(e.getMessage().contains("llama") && e.getMessage().contains("qwen2"), e.getMessage());
    }

    @Test
    void aModelIsNoAdapter() {
        assertThrows(InvalidFileException.class, () -> model.loadAdapter(model.info().path()));
        assertThrows(InvalidFileException.class, () -> model.loadAdapter(folder.resolve("none.gguf")));
    }

    @Test
    void anAdapterOfAnotherLoadedModelIsRefused() {
        try (Model twin = Tiny.load(); Session session = twin.session(Tiny.CONTEXT); Adapter adapter = model.loadAdapter(strong)) {
            assertThrows(InvalidOptionException.class, () -> session.adapters(List.of(new AdapterScale(adapter, 1f))));
        }
    }
}
