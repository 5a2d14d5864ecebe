package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.convert.Said;
import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ClosedException;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.OutOfMemoryException;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Sessions on the embedded model. */
class SessionIT {

    private static Model model;

    @BeforeAll
    static void load() {
        model = Tiny.load();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Completion fresh(String prompt, GenerateOptions options) {
        try (Session session = model.session(Tiny.CONTEXT)) {
            return session.complete(Prompt.text(prompt), options);
        }
    }

    @Test
    void aContextThatNeedsMoreMemoryThanIsFreeIsRefusedWithNumbers() {
        for (ContextOptions large : List.of(Tiny.CONTEXT.withContextSize(1 << 30),
                Tiny.CONTEXT.withContextSize(1 << 24).withBatchSize(1 << 20).withUbatchSize(1 << 20))) {
            var refused = assertThrows(OutOfMemoryException.class, () -> model.session(large));
            assertTrue(refused.getMessage().contains("GiB are free: ask for a smaller n_ctx"), refused.getMessage());
        }
    }

    @Test
    void moreContextThanTheModelWasTrainedWithIsRemarkedOnOnce() {
        ContextOptions more = Tiny.CONTEXT.withContextSize(1024);
        try (var said = new Said(ContextSetup.class)) {
            model.session(Tiny.CONTEXT).close();
            model.session(Tiny.CONTEXT.withContextSize(512)).close();
            model.session(more.withRope(Rope.defaults().withFrequencyScale(0.5f))).close();
            assertEquals(List.of(), said.texts());
            model.session(more).close();
            assertEquals(List.of("the model was trained with 512 tokens of context, and may answer nonsense behind them: 1024 are asked for, without"
                    + " rope scaling"), said.texts());
        }
    }

    @Test
    void answersAndEndsByItself() {
        Completion c = fresh(Tiny.QUESTION, Tiny.greedy(32));
        assertEquals("ls", c.text());
        assertEquals(StopReason.END_OF_GENERATION, c.stopReason());
        assertTrue(model.isEndOfGeneration(c.tokens().getLast().id()));
        assertEquals(model.tokenize(Tiny.QUESTION).length, c.promptTokens());
        assertTrue(c.timings().firstTokenMillis() > 0 && c.timings().generationTokensPerSecond() > 0);
    }

    @Test
    void iteratorCallbackAndBlockingCallAgree() {
        GenerateOptions options = Tiny.endless().withMaxTokens(20);
        Completion blocking = fresh(Tiny.QUESTION, options);
        StringBuilder heard = new StringBuilder();
        List<Integer> pulled = new ArrayList<>();
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.complete(Prompt.text(Tiny.QUESTION), options, token -> heard.append(token.text()), Cancel.NONE);
        }
        try (Session session = model.session(Tiny.CONTEXT);
                Generation generation = session.generate(Prompt.text(Tiny.QUESTION), options)) {
            for (Token token : generation) {
                pulled.add(token.id());
            }
            assertEquals(blocking.text(), generation.completion().text());
            assertThrows(NoSuchElementException.class, generation::next);
        }
        assertEquals(blocking.text(), heard.toString());
        assertArrayEquals(blocking.tokenIds(), pulled.stream().mapToInt(Integer::intValue).toArray());
    }

    @Test
    void aPromptThatGoesOnComputesOnlyWhatIsNew() {
        GenerateOptions options = Tiny.endless().withMaxTokens(8);
        String longer = "list files\nls\nshow disk usage\n";
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.complete(Prompt.text(Tiny.QUESTION), options);
            Completion second = session.complete(Prompt.text(longer), options);
            assertTrue(second.timings().reusedTokens() >= 5, second.timings().toString());
            assertEquals(second.promptTokens(), second.timings().reusedTokens() + second.timings().promptTokens());
            assertArrayEquals(fresh(longer, options).tokenIds(), second.tokenIds());
            Completion again = session.complete(Prompt.text(longer), options);
            assertEquals(1, again.timings().promptTokens());
            assertArrayEquals(second.tokenIds(), again.tokenIds());
            Completion anew = session.complete(Prompt.text(longer), options.withReusePrefix(false));
            assertEquals(0, anew.timings().reusedTokens());
        }
    }

    /** -1 is the whole context, and more than that is no more: llama.cpp itself takes the one for none, and makes room for all of the other. */
    @Test
    void penaltiesLookBackAsFarAsTheyAreTold() {
        Sampling penalised = Sampling.greedy().withRepeatPenalty(5);
        List<String> texts = Stream.of(0, -1, 512, Integer.MAX_VALUE).map(n -> fresh(Tiny.QUESTION,
                Tiny.endless().withMaxTokens(20).withSampling(penalised.withRepeatLastN(n))).text()).toList();
        assertNotEquals(texts.get(0), texts.get(1));
        assertEquals(List.of(texts.get(1), texts.get(1)), texts.subList(2, 4));
    }

    @Test
    void tokensAreThoseThatAreHeld() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            assertEquals(0, session.tokens().length);
            Completion c = session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless().withMaxTokens(4));
            int[] prompt = model.tokenize(Tiny.QUESTION);
            int[] held = Arrays.copyOf(prompt, prompt.length + 3);
            System.arraycopy(c.tokenIds(), 0, held, prompt.length, 3);
            assertArrayEquals(held, session.tokens());
            session.clear();
            assertEquals(0, session.tokens().length);
        }
    }

    @Test
    void theSameSeedGivesTheSameText() {
        Sampling hot = Sampling.defaults().withTemperature(3f).withTopK(0).withTopP(1f).withMinP(0f);
        GenerateOptions options = Tiny.endless().withMaxTokens(24);
        Completion first = fresh(Tiny.QUESTION, options.withSampling(hot.withSeed(7)));
        assertEquals(first.text(), fresh(Tiny.QUESTION, options.withSampling(hot.withSeed(7))).text());
        assertEquals(7, first.seed());
        assertNotEquals(first.text(), fresh(Tiny.QUESTION, options.withSampling(hot.withSeed(8))).text());
        Completion drawn = fresh(Tiny.QUESTION, options.withSampling(hot));
        assertEquals(drawn.text(), fresh(Tiny.QUESTION, options.withSampling(hot.withSeed(drawn.seed()))).text());
    }

    @Test
    void everySamplerTakesPart() {
        Sampling all = Sampling.defaults().withSeed(3).withTypicalP(0.9f).withTopNSigma(2f).withRepeatPenalty(1.2f)
                .withFrequencyPenalty(0.1f).withPresencePenalty(0.1f).withXtc(new Sampling.Xtc(0.5f, 0.05f))
                .withDry(new Sampling.Dry(0.8f, 1.75f, 2, -1, List.of("\n"))).withDynamic(new Sampling.DynamicTemperature(0.2f, 1f));
        GenerateOptions options = Tiny.endless().withMaxTokens(12);
        assertEquals(12, fresh(Tiny.QUESTION, options.withSampling(all)).tokens().size());
        Sampling mirostat = Sampling.defaults().withSeed(3).withMirostat(new Sampling.Mirostat(2, 5f, 0.1f));
        assertEquals(12, fresh(Tiny.QUESTION, options.withSampling(mirostat)).tokens().size());
        Sampling ordered = Sampling.defaults().withSeed(3).withOrder(List.of("top_k", "temperature"));
        assertEquals(12, fresh(Tiny.QUESTION, options.withSampling(ordered)).tokens().size());
    }

    @Test
    void logitBiasForbidsAToken() {
        int first = fresh(Tiny.QUESTION, Tiny.greedy(1)).tokens().getFirst().id();
        Sampling without = Sampling.greedy().withLogitBias(Map.of(first, Float.NEGATIVE_INFINITY));
        assertNotEquals(first, fresh(Tiny.QUESTION, Tiny.greedy(1).withSampling(without)).tokens().getFirst().id());
    }

    @Test
    void stopsAtAStringAcrossTokensAndShowsNothingOfIt() {
        String whole = fresh(Tiny.QUESTION, Tiny.endless().withMaxTokens(40)).text();
        String stop = whole.substring(8, 14);
        int at = whole.indexOf(stop);
        StringBuilder heard = new StringBuilder();
        try (Session session = model.session(Tiny.CONTEXT)) {
            Completion c = session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless().withStops(List.of("never there", stop)),
                    token -> heard.append(token.text()), Cancel.NONE);
            assertEquals(StopReason.STOP_STRING, c.stopReason());
            assertEquals(Optional.of(stop), c.stopString());
            assertEquals(whole.substring(0, at), c.text());
            assertEquals(c.text(), heard.toString());
        }
    }

    @Test
    void endsAfterMaxTokensAndZeroOnlyComputesThePrompt() {
        Completion one = fresh(Tiny.QUESTION, Tiny.endless().withMaxTokens(1));
        assertEquals(StopReason.MAX_TOKENS, one.stopReason());
        assertEquals(1, one.tokens().size());
        try (Session session = model.session(Tiny.CONTEXT)) {
            Completion none = session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(0));
            assertEquals(StopReason.MAX_TOKENS, none.stopReason());
            assertEquals("", none.text());
            assertArrayEquals(model.tokenize(Tiny.QUESTION), session.tokens());
        }
    }

    @Test
    void endsWhenTheContextIsFull() {
        try (Session session = model.session(Tiny.CONTEXT.withContextSize(256))) {
            Completion c = session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless());
            assertEquals(StopReason.CONTEXT_FULL, c.stopReason());
            assertEquals(session.contextSize(), session.tokens().length);
            assertEquals(session.contextSize() + 1, c.promptTokens() + c.tokens().size());
        }
    }

    @Test
    void aPromptLongerThanTheContextIsRefusedWithNumbers() {
        try (Session session = model.session(Tiny.CONTEXT.withContextSize(256))) {
            int[] tooLong = new int[session.contextSize() + 1];
            Arrays.fill(tooLong, 5);
            ContextFullException e = assertThrows(ContextFullException.class,
                    () -> session.complete(Prompt.tokens(tooLong), Tiny.greedy(1)));
            assertEquals(tooLong.length, e.needed());
            assertEquals(session.contextSize(), e.capacity());
            int[] exact = Arrays.copyOf(tooLong, session.contextSize());
            Completion c = session.complete(Prompt.tokens(exact), Tiny.endless());
            assertEquals(StopReason.CONTEXT_FULL, c.stopReason());
            assertEquals(1, c.tokens().size());
        }
    }

    @Test
    void longPromptsGoInChunks() {
        String prompt = "find all text files and count the lines of each\n".repeat(4);
        GenerateOptions options = Tiny.endless().withMaxTokens(8);
        try (Session session = model.session(Tiny.CONTEXT.withBatchSize(8).withUbatchSize(4))) {
            assertEquals(fresh(prompt, options).text(), session.complete(Prompt.text(prompt), options).text());
        }
    }

    @Test
    void grammarAndSchemaShapeTheText() throws Exception {
        GenerateOptions options = Tiny.greedy(64);
        assertTrue(List.of("yes", "no").contains(
                fresh(Tiny.QUESTION, options.withGrammar(Grammar.gbnf("root ::= \"yes\" | \"no\""))).text()));
        String schema = """
                {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9}, "ok": {"type": "boolean"}},
                 "required": ["n", "ok"], "additionalProperties": false}""";
        var json = new ObjectMapper().readTree(fresh(Tiny.QUESTION, options.withJsonSchema(schema)).text());
        assertTrue(json.get("n").isInt() && json.get("ok").isBoolean(), json.toString());
    }

    @Test
    void logprobsAreThoseOfTheModel() {
        Completion c = fresh(Tiny.QUESTION, Tiny.endless().withMaxTokens(6).withLogprobs(3));
        for (Token token : c.tokens()) {
            assertEquals(3, token.top().size());
            assertTrue(token.logprob() <= 0);
            assertTrue(token.top().get(0).logprob() >= token.top().get(1).logprob());
        }
        Token first = c.tokens().getFirst();
        assertEquals(first.id(), first.top().getFirst().id());
        assertEquals(first.logprob(), first.top().getFirst().logprob());
        assertTrue(Float.isNaN(fresh(Tiny.QUESTION, Tiny.greedy(1)).tokens().getFirst().logprob()));
    }

    @Test
    void controlTokensShowOnlyWhenAskedFor() {
        assertEquals("ls", fresh(Tiny.QUESTION, Tiny.greedy(9)).text());
        String special = fresh(Tiny.QUESTION, Tiny.greedy(9).withRenderSpecial(true)).text();
        assertTrue(special.startsWith("ls") && special.length() > 2, special);
    }

    @Test
    void tokensBecomeTextAgain() {
        String text = "grep -r \"größe\" . | wc -l 😀\n";
        int[] tokens = model.tokenize(text, TokenizeOptions.plain());
        assertEquals(text, model.detokenize(tokens));
        assertEquals(model.info().special().bos(), model.tokenize(text)[0]);
        assertThrows(InvalidOptionException.class, () -> model.detokenize(1 << 20));
    }

    @Test
    void aGenerationLeftEarlyFreesTheSession() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            Generation early = session.generate(Prompt.text(Tiny.QUESTION), Tiny.endless());
            early.next();
            BusyException busy = assertThrows(BusyException.class,
                    () -> session.generate(Prompt.text(Tiny.QUESTION), Tiny.greedy(1)));
            assertTrue(busy.getMessage().contains("still open"), busy.getMessage());
            assertThrows(BusyException.class, session::clear);
            assertThrows(IllegalStateException.class, early::completion);
            early.close();
            early.close();
            assertEquals(StopReason.CANCELLED, early.completion().stopReason());
            assertFalse(early.hasNext());
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void whatAListenerThrowsReachesTheCallerAndTheSessionGoesOn() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            IllegalStateException mine = new IllegalStateException("mine");
            assertEquals(mine, assertThrows(IllegalStateException.class, () ->
                    session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless(), token -> {
                        throw mine;
                    }, Cancel.NONE)));
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void closingInsideTheListenerIsRefused() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(2), token -> {
                assertThrows(BusyException.class, session::close);
                assertThrows(BusyException.class, model::close);
            }, Cancel.NONE);
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void aSecondThreadIsRefusedWhileTheFirstGenerates() {
        Cancel cancel = new Cancel();
        CompletableFuture<Void> started = new CompletableFuture<>();
        try (Session session = model.session(Tiny.CONTEXT)) {
            CompletableFuture<Void> first = CompletableFuture.runAsync(() -> {
                while (!cancel.requested()) {
                    session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless(), token -> started.complete(null), cancel);
                }
            });
            started.join();
            retryUntilBusy(session, session::close);
            retryUntilBusy(session, model::close);
            cancel.request();
            first.join();
            assertFalse(model.isClosed());
        }
    }

    /** Between two texts nobody is inside; hence several tries of something harmless before the one that counts. */
    private static void retryUntilBusy(Session session, Runnable work) {
        while (true) {
            try {
                session.tokens();
            } catch (BusyException e) {
                assertThrows(BusyException.class, work::run);
                return;
            }
        }
    }

    @Test
    void useAfterCloseIsATypedException() {
        Model own = Tiny.load();
        Session session = own.session(Tiny.CONTEXT);
        Generation generation = session.generate(Prompt.text(Tiny.QUESTION), Tiny.endless());
        generation.next();
        session.close();
        session.close();
        assertThrows(ClosedException.class, () -> session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(1)));
        assertEquals(StopReason.CANCELLED, generation.completion().stopReason());
        own.close();
        own.close();
        ClosedException e = assertThrows(ClosedException.class, () -> own.tokenize("x"));
        assertTrue(e.getMessage().contains("lucifer-tiny"), e.getMessage());
        assertThrows(ClosedException.class, own::session);
        assertThrows(ClosedException.class, own::embedder);
        assertThrows(ClosedException.class, own::defaultSampling);
        assertThrows(ClosedException.class, own::chatTemplate);
    }

    @Test
    void closingAModelClosesWhatItOpened() {
        Model own = Tiny.load();
        Session session = own.session(Tiny.CONTEXT);
        Embedder embedder = own.embedder(EmbedOptions.defaults().withContext(Tiny.CONTEXT));
        own.close();
        assertThrows(ClosedException.class, session::tokens);
        assertThrows(ClosedException.class, () -> embedder.embed("x"));
        session.close();
        embedder.close();
    }

    @Test
    void oneModelServesSeveralThreads() {
        String expected = fresh("show disk usage\n", Tiny.greedy(16)).text();
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            answers.add(CompletableFuture.supplyAsync(() -> fresh("show disk usage\n", Tiny.greedy(16)).text()));
        }
        answers.forEach(a -> assertEquals(expected, a.join()));
    }

    @Test
    void loadingTellsItsProgressAndCanBeCancelled() {
        List<Progress.Event> events = new ArrayList<>();
        Model.embedded(Tiny.options(), events::add, Cancel.NONE).close();
        assertFalse(events.isEmpty());
        assertEquals("load", events.getLast().phase());
        assertEquals(events.getLast().total(), events.getLast().done());
        Cancel cancel = new Cancel();
        cancel.request();
        assertThrows(ai.luciferai.llama.core.CancelledException.class,
                () -> Model.embedded(Tiny.options(), Progress.NONE, cancel));
    }

    @Test
    void threadsCanBeChanged() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.threads(Threads.of(2));
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void closeRacesWithGenerationEndInTypedExceptions() {
        long seed = 20261122;
        java.util.Random random = new java.util.Random(seed);
        for (int round = 0; round < 8; round++) {
            Session session = model.session(Tiny.CONTEXT.withContextSize(256));
            CompletableFuture<Void> work = CompletableFuture.runAsync(() -> {
                while (true) {
                    session.complete(Prompt.text(Tiny.QUESTION), Tiny.endless().withMaxTokens(3));
                }
            });
            pause(random.nextInt(5));
            closeWhenPossible(session);
            CompletionException e = assertThrows(CompletionException.class, work::join, "seed " + seed + " round " + round);
            assertEquals(ClosedException.class, e.getCause().getClass(), "seed " + seed + " round " + round);
        }
    }

    private static void closeWhenPossible(Session session) {
        while (true) {
            try {
                session.close();
                return;
            } catch (BusyException e) {
                pause(0);
            }
        }
    }

    /** At least so long that another thread comes to its turn. */
    private static void pause(int millis) {
        try {
            Thread.sleep(millis, 50_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
