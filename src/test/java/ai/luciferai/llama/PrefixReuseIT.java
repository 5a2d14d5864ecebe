package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memories that forget: what is reused must never change the result. */
class PrefixReuseIT {

    private static final GenerateOptions OPTIONS = Tiny.endless().withMaxTokens(6);

    @TempDir
    Path folder;

    private static int[] prompt(int length, int last) {
        int[] prompt = new int[length];
        for (int i = 0; i < length; i++) {
            prompt[i] = 20 + i % 50;
        }
        prompt[length - 1] = last;
        return prompt;
    }

    private static Completion fresh(Model model, int[] prompt) {
        try (Session session = model.session(Tiny.CONTEXT)) {
            return session.complete(Prompt.tokens(prompt), OPTIONS);
        }
    }

    private static Completion reusing(Session session, int... prompt) {
        Completion c = session.complete(Prompt.tokens(prompt), OPTIONS);
        assertArrayEquals(fresh(session.model(), prompt).tokenIds(), c.tokenIds());
        return c;
    }

    @Test
    void aRecurrentModelGoesOnButNotBack() {
        try (Model model = Model.load(TestFiles.recurrent(folder.resolve("mamba.gguf")), Tiny.options());
                Session session = model.session(Tiny.CONTEXT)) {
            assertTrue(model.info().kind().recurrent());
            reusing(session, prompt(30, 7));
            int[] goesOn = Arrays.copyOf(session.tokens(), session.tokens().length + 4);
            Arrays.fill(goesOn, goesOn.length - 4, goesOn.length, 9);
            assertEquals(goesOn.length - 4, reusing(session, goesOn).timings().reusedTokens());
            assertEquals(0, reusing(session, prompt(30, 8)).timings().reusedTokens());
        }
    }

    @Test
    void aSlidingWindowGoesBackOnlyAsFarAsItRemembers() {
        try (Model model = Model.load(TestFiles.windowed(folder.resolve("swa.gguf"), 16), Tiny.options());
                // the window's cache has room for a micro-batch more than the window
                Session session = model.session(Tiny.CONTEXT.withBatchSize(16).withUbatchSize(16));
                Session full = model.session(Tiny.CONTEXT.withCache(KvCache.defaults().withSwaFull(true)))) {
            assertEquals(16, model.info().shape().slidingWindow());
            reusing(session, prompt(400, 7));
            int[] goesOn = Arrays.copyOf(session.tokens(), session.tokens().length + 3);
            assertEquals(goesOn.length - 3, reusing(session, goesOn).timings().reusedTokens());
            assertEquals(0, reusing(session, prompt(40, 7)).timings().reusedTokens());
            reusing(full, prompt(400, 7));
            assertEquals(39, reusing(full, prompt(40, 7)).timings().reusedTokens());
        }
    }

    @Test
    void anOrdinaryModelGoesBackAnywhere() {
        try (Model model = Tiny.load(); Session session = model.session(Tiny.CONTEXT)) {
            reusing(session, prompt(200, 7));
            assertEquals(99, reusing(session, prompt(100, 7)).timings().reusedTokens());
            assertEquals(99, reusing(session, prompt(100, 8)).timings().reusedTokens());
        }
    }
}
