package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.EvaluateOptions.Answers;
import ai.luciferai.llama.EvaluateOptions.Reading;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.ffi.Scorer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What imatrix and evaluate are made of, where no model is needed. */
class QualityTest {

    @TempDir
    Path folder;

    @Test
    void quantilesLieBetweenTwoValuesInProportion() {
        float[] sorted = {0, 1, 2, 3};
        assertEquals(0f, DivergenceSum.quantile(sorted, 0f));
        assertEquals(3f, DivergenceSum.quantile(sorted, 1f));
        assertEquals(1.5f, DivergenceSum.quantile(sorted, 0.5f));
        assertEquals(2.7f, DivergenceSum.quantile(sorted, 0.9f), 1e-6f);
        assertEquals(7f, DivergenceSum.quantile(new float[] {7}, 0.999f));
    }

    @Test
    void equalPredictionsDoNotDiverge() {
        var sum = new DivergenceSum();
        for (int i = 0; i < 3000; i++) {
            float nll = 1 + i % 7;
            sum.add(new Scorer.Divergence(0, nll, nll, 0, true));
        }
        Divergence d = sum.divergence();
        assertEquals(3000, d.tokens());
        assertEquals(d.perplexity(), d.basePerplexity());
        assertEquals(0, d.kld().value());
        assertEquals(1, d.ratio().value());
        assertEquals(1, d.sameTop().value());
        assertEquals(0, d.rmsDeltaP().error());
        assertEquals(0.0, d.kldQuantiles().get(0.999));
    }

    @Test
    void perplexityIsThatOfTheMeanLogProbability() {
        var sum = new PerplexitySum();
        assertTrue(Double.isNaN(sum.value()));
        sum.add(Math.log(2));
        sum.add(Math.log(8));
        assertEquals(4, sum.estimate().value(), 1e-12);
        assertEquals(4 * Math.log(2), sum.estimate().error(), 1e-12); // half of log 8 - log 2, over the root of n - 1
    }

    @Test
    void textIsCutIntoWholeChunks() {
        TextChunks chunks = TextChunks.of(new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 4, -1);
        assertEquals(2, chunks.count());
        assertArrayEquals(new int[] {0, 1, 2, 3, 4, 5, 6, 7}, chunks.tokens());
        assertEquals(1, chunks.rows()); // the last token of a chunk has nothing to predict
        assertEquals(7, chunks.tokens()[chunks.label(1)]);
        assertEquals(1, TextChunks.of(new int[8], 4, 1).count());
    }

    // --- files of predictions ------------------------------------------------------------------------------------------

    private Path logits() throws IOException {
        Path file = folder.resolve("some.logits");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            LogitsFile logits = LogitsFile.create(channel, TextChunks.of(new int[] {1, 2, 3, 4, 5, 6, 0, 1}, 4, -1), 7);
            for (int chunk = 0; chunk < 2; chunk++) {
                byte[] row = new byte[(int) Scorer.packedBytes(7)];
                Arrays.fill(row, (byte) (chunk + 1));
                logits.write(chunk, ByteBuffer.wrap(row));
            }
        }
        return file;
    }

    @Test
    void predictionsAreReadAsTheyWereWritten() throws IOException {
        Path file = logits();
        assertTrue(LogitsFile.isOne(file));
        try (LogitsFile logits = LogitsFile.open(file)) {
            assertEquals(7, logits.vocabulary());
            assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6, 0, 1}, logits.chunks().tokens());
            ByteBuffer row = ByteBuffer.allocate((int) Scorer.packedBytes(7));
            logits.read(1, row);
            assertEquals(2, row.get(0));
            assertEquals(LogitsFile.bytes(logits.chunks(), 7), Files.size(file));
        }
    }

    @Test
    void cutOrChangedPredictionsAreRefused() throws IOException {
        byte[] bytes = Files.readAllBytes(logits());
        for (int length = 0; length < bytes.length; length++) {
            Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, length));
            assertThrows(InvalidFileException.class, () -> LogitsFile.open(cut).close(), length + " bytes");
        }
        for (int at : new int[] {8, 12, 16, 20}) { // n_ctx, n_vocab, n_chunk, the first token
            byte[] changed = bytes.clone();
            Arrays.fill(changed, at, at + 4, (byte) 0x7f);
            Path file = Files.write(folder.resolve("changed"), changed);
            assertThrows(InvalidFileException.class, () -> LogitsFile.open(file).close(), "byte " + at);
        }
        assertFalse(LogitsFile.isOne(Files.writeString(folder.resolve("text"), "_logit")));
    }

    // --- options -------------------------------------------------------------------------------------------------------

    @Test
    void optionsThatDoNotGoTogetherAreRefused() {
        Path a = Path.of("a");
        assertThrows(InvalidOptionException.class, () -> EvaluateOptions.of(List.of(a), Reading.none()));
        assertThrows(InvalidOptionException.class, () -> Reading.of(a).withChunks(3, -1));
        assertThrows(InvalidOptionException.class, () -> Reading.of(a).withChunks(512, 0));
        assertThrows(InvalidOptionException.class, () -> Reading.none().withBase(a).withSaveLogits(a));
        assertThrows(InvalidOptionException.class, () -> EvaluateOptions.of(List.of(a, a), Reading.of(a).withSaveLogits(a)));
        assertThrows(InvalidOptionException.class, () -> new Answers(Optional.empty(), List.of("x"), 0));
        assertThrows(InvalidOptionException.class, () -> ImatrixOptions.of(a, a, a).withChunks(8, 0, -1));
        assertThrows(InvalidOptionException.class, () -> ImatrixOptions.merge(List.of(), a));
        assertThrows(InvalidOptionException.class, () -> new ImatrixOptions.Checkpoints(-1, 0));
    }

    @Test
    void answersNeedAPromptInFront() throws IOException {
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"text\": \"one line\"}\n");
        assertTrue(assertThrows(InvalidFileException.class, () -> AnswerKey.read(data)).getMessage().contains("line 1"));
        Files.writeString(data, "{\"text\": \"prompt\\nanswer\"}\n{\"prompt\": \"p\", \"completion\": \"c\"}\n");
        assertEquals(2, AnswerKey.read(data).samples().size());
    }

    // --- the page ------------------------------------------------------------------------------------------------------

    private static EvaluateReport.Quality quality(String name, long bytes, double perplexity, Optional<Exception> failure) {
        return new EvaluateReport.Quality(Path.of(name), name, "Q8_0", bytes, 10, 8.5, false,
                failure.isPresent() ? Optional.empty() : Optional.of(new Estimate(perplexity, 0.1)), Optional.empty(), Optional.empty(),
                failure.isPresent() ? List.of() : List.of("<b>"), 100, -1, failure);
    }

    @Test
    void pageStandsAloneAndEscapesTexts() {
        var options = EvaluateOptions.of(List.of(), Reading.of(Path.of("t"))).withAnswers(Answers.none().withPrompts(List.of("a & b\n")));
        String html = new EvaluateReport(options, List.of(quality("small", 1 << 20, 9, Optional.empty()),
                quality("large", 3 << 20, 7, Optional.empty()), quality("broken", 3, 0, Optional.of(new IOException("<bad>"))))).html();
        assertTrue(html.contains("<circle") && html.contains("Size against perplexity"), html);
        assertTrue(html.contains("&lt;b&gt;") && html.contains("a &amp; b") && html.contains("failed: &lt;bad&gt;"), html);
        assertFalse(html.contains("http") || html.contains("<script") || html.contains("NaN") || html.contains("exact answers"), html);
        assertTrue(html.contains("class=\"bar\"") && html.contains("1 small: 1 MiB, perplexity 9 ± 0.1"), html);
    }

    @Test
    void whatIsNoNumberIsSaidOnThePage() {
        var options = EvaluateOptions.of(List.of(), Reading.of(Path.of("t")));
        String html = new EvaluateReport(options, List.of(quality("tiny", 1 << 10, 9, Optional.empty()),
                quality("lost", 1 << 11, Double.POSITIVE_INFINITY, Optional.empty()), quality("bad", 1 << 12, Double.NaN, Optional.empty()))).html();
        assertTrue(html.contains(">infinite<") && html.contains(">not a number<") && html.contains("<small>KiB</small>"), html);
        assertFalse(html.contains("NaN") || html.contains("Infinity"), html);
    }
}
