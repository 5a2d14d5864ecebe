package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.Progress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Several prompts in one batch. */
class GenerateAllIT {

    private static final List<String> QUESTIONS = List.of("list files\n", "show disk usage\n", "find all text files under src\n",
            "count lines in notes.txt\n", "go to the home folder\n", "print the working directory\n", "delete old.log\n");

    private static Model model;

    @BeforeAll
    static void load() {
        model = Tiny.load();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static List<Prompt> prompts() {
        return QUESTIONS.stream().map(Prompt::text).toList();
    }

    private static List<Completion> oneByOne(GenerateOptions options) {
        List<Completion> all = new ArrayList<>();
        for (Prompt prompt : prompts()) {
            try (Session session = model.session(Tiny.CONTEXT)) {
                all.add(session.complete(prompt, options));
            }
        }
        return all;
    }

    private static void assertSame(List<Completion> expected, List<Completion> got) {
        assertEquals(expected.size(), got.size());
        for (int i = 0; i < got.size(); i++) {
            assertArrayEquals(expected.get(i).tokenIds(), got.get(i).tokenIds(), QUESTIONS.get(i));
            assertEquals(expected.get(i).text(), got.get(i).text());
            assertEquals(expected.get(i).stopReason(), got.get(i).stopReason());
        }
    }

    @Test
    void givesWhatOneByOneGives() {
        GenerateOptions options = Tiny.greedy(24);
        List<Completion> expected = oneByOne(options);
        for (int sequences : new int[] {1, 3, 7, 16}) {
            List<Completion> got = model.generateAll(prompts(), options, Tiny.CONTEXT.withSequences(sequences), Progress.NONE,
                    Cancel.NONE);
            assertSame(expected, got);
        }
    }

    @Test
    void smallBatchesGiveTheSame() {
        GenerateOptions options = Tiny.greedy(24);
        assertSame(oneByOne(options), model.generateAll(prompts(), options,
                Tiny.CONTEXT.withSequences(4).withBatchSize(6).withUbatchSize(6), Progress.NONE, Cancel.NONE));
    }

    @Test
    void aSharedBufferGivesTheSame() {
        GenerateOptions options = Tiny.greedy(24);
        assertSame(oneByOne(options), model.generateAll(prompts(), options,
                Tiny.CONTEXT.withSequences(4).withCache(KvCache.defaults().withUnified(true)), Progress.NONE, Cancel.NONE));
    }

    @Test
    void tellsItsProgressInPrompts() {
        List<Long> done = new ArrayList<>();
        model.generateAll(prompts(), Tiny.greedy(4), Tiny.CONTEXT, event -> done.add(event.done()), Cancel.NONE);
        assertEquals(List.of(1L, 2L, 3L, 4L, 5L, 6L, 7L), done);
    }

    @Test
    void aPromptThatIsTooLongIsRefused() {
        Prompt tooLong = Prompt.tokens(new int[1_000]);
        ContextFullException e = assertThrows(ContextFullException.class, () -> model.generateAll(List.of(tooLong),
                Tiny.greedy(4), Tiny.CONTEXT.withContextSize(256), Progress.NONE, Cancel.NONE));
        assertTrue(e.getMessage().contains("1000") && e.getMessage().contains("256"), e.getMessage());
    }

    @Test
    void nothingGivesNothing() {
        assertEquals(List.of(), model.generateAll(List.of(), Tiny.greedy(4)));
    }

    @Test
    void stopsAndLogprobsHoldForEach() {
        GenerateOptions options = Tiny.endless().withMaxTokens(30).withLogprobs(1).withStops(List.of("\n"));
        for (Completion c : model.generateAll(prompts(), options, Tiny.CONTEXT, Progress.NONE, Cancel.NONE)) {
            assertTrue(!c.text().contains("\n"));
            c.tokens().forEach(t -> assertTrue(t.logprob() <= 0 && t.top().size() == 1));
        }
    }
}
