package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Cancel, from the listener and from another thread. */
class CancelIT {

    private static Model model;

    @BeforeAll
    static void load() {
        model = Tiny.load();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void endsBeforeTheNextToken() {
        Cancel cancel = new Cancel();
        AtomicInteger heard = new AtomicInteger();
        try (Session session = model.session(Tiny.CONTEXT)) {
            Completion c = session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless(), token -> {
                if (heard.incrementAndGet() == 5) {
                    cancel.request();
                }
            }, cancel);
            assertEquals(StopReason.CANCELLED, c.stopReason());
            assertEquals(5, c.tokens().size());
            assertEquals(5, heard.get());
        }
    }

    @Test
    void anotherThreadEndsItWithinOneToken() {
        Cancel cancel = new Cancel();
        CompletableFuture<Void> fifth = new CompletableFuture<>();
        AtomicInteger afterRequest = new AtomicInteger();
        try (Session session = model.session(Tiny.CONTEXT)) {
            CompletableFuture<Completion> work = CompletableFuture.supplyAsync(() ->
                    session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless(), token -> {
                        if (cancel.requested()) {
                            afterRequest.incrementAndGet();
                        }
                        fifth.complete(null);
                    }, cancel));
            fifth.join();
            cancel.request();
            Completion c = work.join();
            assertTrue(c.stopReason() == StopReason.CANCELLED || c.stopReason() == StopReason.CONTEXT_FULL);
            assertTrue(afterRequest.get() <= 1, "tokens after the request: " + afterRequest.get());
        }
    }

    @Test
    void whatWasComputedStaysAndTheSessionGoesOn() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            Cancel cancel = new Cancel();
            session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless(), token -> cancel.request(), cancel);
            assertEquals(model.tokenize(Tiny.QUESTION).length, session.tokens().length);
            Completion c = session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9));
            assertEquals("ls", c.text());
            assertEquals(1, c.timings().promptTokens());
        }
    }

    @Test
    void aLongPromptEndsInTheMiddle() {
        int[] prompt = new int[500];
        Arrays.fill(prompt, 7);
        Cancel cancel = new Cancel();
        cancel.request();
        try (Session session = model.session(Tiny.CONTEXT.withBatchSize(16))) {
            Completion c = session.complete(Prompt.tokens(prompt), Tiny.endless(), token -> {}, cancel);
            assertEquals(StopReason.CANCELLED, c.stopReason());
            assertEquals(0, c.tokens().size());
            assertTrue(session.tokens().length < prompt.length);
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void aBatchOfPromptsKeepsWhatIsDone() {
        Cancel cancel = new Cancel();
        List<Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            prompts.add(Prompt.text(Tiny.QUESTION));
        }
        Progress stopAfterTwo = event -> {
            if (event.done() == 2) {
                cancel.request();
            }
        };
        List<Completion> all = model.generateAll(prompts, Tiny.greedy(9), Tiny.CONTEXT.withSequences(1), stopAfterTwo, cancel);
        assertEquals(6, all.size());
        assertEquals(List.of("ls", "ls", "", "", "", ""), all.stream().map(Completion::text).toList());
        assertEquals(StopReason.CANCELLED, all.getLast().stopReason());
    }
}
