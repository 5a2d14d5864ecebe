package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.EvaluateOptions.Answers;
import ai.luciferai.llama.EvaluateOptions.Reading;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What evaluate promises beside its numbers, which are {@link EvaluateGoldenIT}'s. */
class EvaluateIT {

    private static final Path DATA = Path.of("src/test/fixtures/data/base-test.jsonl");
    private static final Reading READING = Reading.of(QualityGoldens.TEXT).withChunks(64, 4);

    @TempDir
    Path folder;

    private static EvaluateOptions plain(EvaluateOptions options) {
        return options.withModelOptions(Goldens.onCpu()).withContextOptions(ContextOptions.defaults().withThreads(1));
    }

    private static EvaluateReport run(EvaluateOptions options) throws IOException {
        return Evaluate.run(plain(options), Progress.NONE, Cancel.NONE);
    }

    private Path quantized(QuantType type) throws IOException {
        Path out = folder.resolve(type.suffix() + ".gguf");
        Quantize.run(QuantizeOptions.of(EmbeddedModel.path(), out, type), Progress.NONE, Cancel.NONE);
        return out;
    }

    private Set<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).collect(java.util.stream.Collectors.toCollection(TreeSet::new));
        }
    }

    /** The table of the README. */
    @Test
    void exactAnswersByType() throws IOException {
        List<Path> models = List.of(quantized(QuantType.Q8_0), quantized(QuantType.Q4_K_M), quantized(QuantType.Q2_K));
        EvaluateReport report = run(EvaluateOptions.of(models, Answers.exactMatch(DATA)));
        for (EvaluateReport.Quality model : report.models()) {
            ExactMatch exact = model.exactMatch().orElseThrow();
            assertEquals(100, exact.total());
            assertTrue(exact.right() >= 99, model.name() + ": " + exact.misses()); // all, on the CPU at hand
            assertTrue(model.tokensPerSecond() > 0 && model.bitsPerWeight() > 0);
        }
    }

    @Test
    void wrongAnswersAreShown() throws IOException {
        Path data = Files.writeString(folder.resolve("data.jsonl"),
                "{\"prompt\": \"make a new folder quaba\\n\", \"completion\": \"mkdir quaba\"}\n{\"text\": \"show client.css\\nrm client.css\"}\n"
                        + "{\"messages\": [{\"role\": \"user\", \"content\": \"make a new folder quaba\"}, "
                        + "{\"role\": \"assistant\", \"content\": \"mkdir quaba\"}]}\n");
        ExactMatch exact = run(EvaluateOptions.of(List.of(), Answers.exactMatch(data))).models().getFirst().exactMatch().orElseThrow();
        assertEquals(List.of(new ExactMatch.Miss("show client.css\n", "rm client.css", "cat client.css")), exact.misses());
        assertEquals(2.0 / 3, exact.share(), 1e-9);
    }

    @Test
    void answersStandSideBySide() throws IOException {
        List<String> prompts = List.of("make a new folder quaba\n", "show client.css\n");
        EvaluateReport report = run(EvaluateOptions.of(List.of(EmbeddedModel.path(), quantized(QuantType.Q4_K_M)),
                Answers.none().withPrompts(prompts)).withPage(folder.resolve("page.html")));
        report.models().forEach(model -> assertEquals(List.of("mkdir quaba", "cat client.css"), model.answers()));
        assertTrue(Files.readString(folder.resolve("page.html")).contains("cat client.css"));
    }

    @Test
    void oneModelThatFailsDoesNotKeepTheOthersBack() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.gguf"), "GGUF and no more");
        Path gemma = QualityGoldens.converted("gemma2", folder);
        EvaluateReport report = run(EvaluateOptions.of(List.of(broken, EmbeddedModel.path(), gemma), READING.withBase(EmbeddedModel.path())));
        assertTrue(report.models().get(1).failure().orElseThrow() instanceof InvalidFileException);
        assertEquals(0, report.models().get(2).divergence().orElseThrow().kld().value(), 1e-3); // 16 bits are kept of each number
        assertTrue(report.models().get(3).failure().orElseThrow().getMessage().contains("words"), "another vocabulary");
        assertThrows(InvalidFileException.class, () -> run(EvaluateOptions.of(List.of(broken), READING)));
    }

    @Test
    void badInputIsRefusedFirst() throws IOException {
        Path text = Files.writeString(folder.resolve("short.txt"), "list files");
        refused(InvalidFileException.class, EvaluateOptions.of(List.of(), Reading.of(text)), "two chunks");
        refused(InvalidFileException.class, EvaluateOptions.of(List.of(folder.resolve("none.gguf")), READING), "none.gguf");
        refused(InvalidFileException.class, EvaluateOptions.of(List.of(), READING.withBase(text)), "short.txt");
        refused(InvalidFileException.class, EvaluateOptions.of(List.of(), Answers.exactMatch(text)), "line");
        Path page = Files.createFile(folder.resolve("page.html"));
        refused(InvalidOptionException.class, EvaluateOptions.of(List.of(), READING).withPage(page), "--force");
        refused(InvalidOptionException.class, EvaluateOptions.of(List.of(), READING.withSaveLogits(page)), "--force");
        refused(InvalidOptionException.class, EvaluateOptions.of(List.of(), Reading.none().withBase(EmbeddedModel.path())), "text");
    }

    private static void refused(Class<? extends Exception> type, EvaluateOptions options, String part) {
        Exception fault = assertThrows(type, () -> run(options));
        assertTrue(fault.getMessage().contains(part), fault.getMessage());
    }

    @Test
    void predictionsOnAnotherTextAreRefused() throws IOException {
        Path logits = folder.resolve("some.logits");
        run(EvaluateOptions.of(List.of(), READING.withSaveLogits(logits)));
        Path other = Files.writeString(folder.resolve("other.txt"), "show the first lines of notes.txt\n".repeat(100));
        refused(InvalidFileException.class, EvaluateOptions.of(List.of(EmbeddedModel.path()), Reading.of(other).withBase(logits)), "another text");
        refused(InvalidOptionException.class, EvaluateOptions.of(List.of(EmbeddedModel.path()),
                READING.withBase(logits).withSaveLogits(folder.resolve("again.logits"))), "save-logits");
    }

    @Test
    void cancelWritesNothing() throws IOException {
        var cancel = new Cancel();
        EvaluateOptions options = plain(EvaluateOptions.of(List.of(), READING.withSaveLogits(folder.resolve("l"))).withPage(folder.resolve("p")));
        assertThrows(CancelledException.class, () -> Evaluate.run(options, event -> cancel.request(), cancel));
        assertEquals(Set.of(), files());
        var answering = new Cancel();
        assertThrows(CancelledException.class, () -> Evaluate.run(plain(EvaluateOptions.of(List.of(), Answers.exactMatch(DATA))),
                event -> answering.request(), answering));
    }

    @Test
    void progressEndsWithAllTokensAndAllPrompts() throws IOException {
        var events = new ArrayList<Progress.Event>();
        Evaluate.run(plain(EvaluateOptions.of(List.of(), READING).withAnswers(Answers.exactMatch(DATA))), events::add, Cancel.NONE);
        assertTrue(events.stream().anyMatch(e -> e.phase().equals("embedded") && e.done() == 256 && e.total() == 256), events.toString());
        assertEquals(100, events.getLast().done());
    }

    @Test
    void moreThreadsGiveTheSameNumbers() throws IOException {
        Estimate one = run(EvaluateOptions.of(List.of(), READING)).models().getFirst().perplexity().orElseThrow();
        Estimate two = Evaluate.run(EvaluateOptions.of(List.of(), READING).withModelOptions(Goldens.onCpu())
                .withContextOptions(ContextOptions.defaults().withThreads(2)), Progress.NONE, Cancel.NONE).models().getFirst().perplexity().orElseThrow();
        assertEquals(one.value(), two.value(), 1e-9);
        assertFalse(Double.isNaN(one.error()));
    }
}
