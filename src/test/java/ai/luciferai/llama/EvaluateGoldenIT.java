package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.EvaluateOptions.Reading;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The numbers of llama-perplexity, which runs beside the test, to the digits that it prints. */
class EvaluateGoldenIT {

    private static final Reading READING = Reading.of(QualityGoldens.TEXT).withChunks(128, -1);
    private static final String TEXT = QualityGoldens.TEXT.toString();

    @TempDir
    static Path folder;

    @Test
    void perplexityOfSeveralChunksInABatch() throws IOException {
        assertPerplexity(options(List.of(), READING), "-m", tiny(), "-f", TEXT, "-c", "128");
    }

    @Test
    void perplexityOfAChunkInSeveralBatches() throws IOException {
        assertPerplexity(options(List.of(), READING.withChunks(128, 5))
                .withContextOptions(ContextOptions.defaults().withThreads(1).withBatchSize(48)),
                "-m", tiny(), "-f", TEXT, "-c", "128", "-b", "48", "--chunks", "5");
    }

    @Test
    void perplexityOfAnotherArchitecture() throws IOException {
        Path gemma = QualityGoldens.converted("gemma2", folder);
        assertPerplexity(options(List.of(gemma), Reading.of(QualityGoldens.TEXT).withChunks(64, -1)),
                "-m", gemma.toString(), "-f", TEXT, "-c", "64");
    }

    @Test
    void predictionsAreKeptAsLlamaPerplexityKeepsThem() throws Exception {
        Path kept = folder.resolve("kept.logits");
        assertPerplexity(options(List.of(), READING.withSaveLogits(kept)),
                "-m", tiny(), "-f", TEXT, "-c", "128", "--kl-divergence-base", theirs().toString());
        assertArrayEquals(Files.readAllBytes(theirs()), Files.readAllBytes(kept));
        Path q2 = quantized(QuantType.Q2_K);
        assertDivergence(q2, evaluate(options(List.of(q2), Reading.none().withBase(kept))).models().getFirst());
        assertDivergence(q2, evaluate(options(List.of(q2), READING.withBase(kept))).models().getFirst());
    }

    @Test
    void divergenceOfSeveralModelsFromTheOneTheyWereMadeOf() throws IOException {
        QualityGoldens.perplexity("-m", tiny(), "-f", TEXT, "-c", "128", "--kl-divergence-base", theirs().toString());
        List<EvaluateReport.Quality> models = evaluate(options(List.of(quantized(QuantType.Q2_K), quantized(QuantType.Q4_K_M)),
                READING.withBase(EmbeddedModel.path()))).models();
        assertTrue(models.getFirst().base() && models.getFirst().divergence().isEmpty());
        assertEquals(List.of("lucifer-tiny-f16", "q2_k", "q4_k_m"), models.stream().map(EvaluateReport.Quality::name).toList());
        assertDivergence(quantized(QuantType.Q2_K), models.get(1));
        assertDivergence(quantized(QuantType.Q4_K_M), models.get(2));
    }

    private static String tiny() {
        return EmbeddedModel.path().toString();
    }

    /** The predictions of the embedded model as llama-perplexity keeps them. */
    private static Path theirs() {
        return folder.resolve("llama-perplexity.logits");
    }

    private static Path quantized(QuantType type) throws IOException {
        Path out = folder.resolve(type.suffix() + ".gguf");
        if (!Files.exists(out)) {
            Quantize.run(QuantizeOptions.of(EmbeddedModel.path(), out, type), Progress.NONE, Cancel.NONE);
        }
        return out;
    }

    private static EvaluateOptions options(List<Path> models, Reading reading) {
        return EvaluateOptions.of(models, reading).withForce(true).withModelOptions(Goldens.onCpu())
                .withContextOptions(ContextOptions.defaults().withThreads(1));
    }

    private static EvaluateReport evaluate(EvaluateOptions options) throws IOException {
        return Evaluate.run(options, Progress.NONE, Cancel.NONE);
    }

    private static void assertPerplexity(EvaluateOptions options, String... theirOptions) throws IOException {
        Estimate found = evaluate(options).models().getFirst().perplexity().orElseThrow();
        assertEquals(QualityGoldens.perplexity(theirOptions), List.of(number(4, found.value()), number(5, found.error())));
    }

    /** In the order of llama-perplexity's lines. */
    private static void assertDivergence(Path file, EvaluateReport.Quality model) {
        Divergence d = model.divergence().orElseThrow();
        var ours = new ArrayList<String>();
        add(ours, 6, 6, d.perplexity());
        add(ours, 6, 6, d.basePerplexity());
        ours.add(number(2, 100 * d.correlation()));
        add(ours, 6, 6, d.logRatio());
        add(ours, 6, 6, d.ratio());
        add(ours, 6, 6, d.difference());
        add(ours, 6, 6, d.kld());
        add(ours, 6, 1, d.kldQuantiles().reversed().values());
        add(ours, 3, 3, percent(d.deltaP()));
        add(ours, 3, 100, d.deltaPQuantiles().reversed().values());
        add(ours, 3, 3, percent(d.rmsDeltaP()));
        add(ours, 3, 3, percent(d.sameTop()));
        assertEquals(QualityGoldens.perplexity("-m", file.toString(), "-c", "128", "--kl-divergence",
                "--kl-divergence-base", theirs().toString()), ours);
    }

    private static Estimate percent(Estimate e) {
        return new Estimate(100 * e.value(), 100 * e.error());
    }

    private static void add(List<String> numbers, int digits, int digitsOfError, Estimate e) {
        numbers.add(number(digits, e.value()));
        numbers.add(number(digitsOfError, e.error()));
    }

    private static void add(List<String> numbers, int digits, double factor, Collection<Double> values) {
        values.forEach(value -> numbers.add(number(digits, factor * value)));
    }

    private static String number(int digits, double value) {
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }
}
