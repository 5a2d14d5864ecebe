package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.EvaluateOptions.Reading;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The numbers of llama-perplexity, to the digits that it prints. */
class EvaluateGoldenIT {

    private static final Reading READING = Reading.of(QualityGoldens.TEXT).withChunks(128, -1);

    @TempDir
    static Path folder;

    @Test
    void perplexityOfSeveralChunksInABatch() throws IOException {
        assertPerplexity("ppl-f16.txt", options(List.of(), READING));
    }

    @Test
    void perplexityOfAChunkInSeveralBatches() throws IOException {
        assertPerplexity("ppl-f16-b48.txt", options(List.of(), READING.withChunks(128, 5))
                .withContextOptions(ContextOptions.defaults().withThreads(1).withBatchSize(48)));
    }

    @Test
    void perplexityOfAnotherArchitecture() throws IOException {
        assertPerplexity("ppl-gemma2.txt",
                options(List.of(QualityGoldens.converted("gemma2", folder)), Reading.of(QualityGoldens.TEXT).withChunks(64, -1)));
    }

    @Test
    void predictionsAreKeptAsLlamaPerplexityKeepsThem() throws Exception {
        Path logits = folder.resolve("kept.logits");
        assertPerplexity("ppl-base.txt", options(List.of(), READING.withSaveLogits(logits)));
        if (QualityGoldens.sameCpu()) {
            assertEquals(Files.readString(QualityGoldens.FOLDER.resolve("logits.sha256")).strip(),
                    HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(logits))));
        }
        Path q2 = quantized(QuantType.Q2_K);
        assertDivergence("kld-Q2_K.txt", evaluate(options(List.of(q2), Reading.none().withBase(logits))).models().getFirst());
        assertDivergence("kld-Q2_K.txt", evaluate(options(List.of(q2), READING.withBase(logits))).models().getFirst());
    }

    @Test
    void divergenceOfSeveralModelsFromTheOneTheyWereMadeOf() throws IOException {
        List<EvaluateReport.Quality> models = evaluate(options(List.of(quantized(QuantType.Q2_K), quantized(QuantType.Q4_K_M)),
                READING.withBase(EmbeddedModel.path()))).models();
        assertTrue(models.getFirst().base() && models.getFirst().divergence().isEmpty());
        assertEquals(List.of("lucifer-tiny-f16", "q2_k", "q4_k_m"), models.stream().map(EvaluateReport.Quality::name).toList());
        assertDivergence("kld-Q2_K.txt", models.get(1));
        assertDivergence("kld-Q4_K_M.txt", models.get(2));
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

    private static void assertPerplexity(String golden, EvaluateOptions options) throws IOException {
        Estimate found = evaluate(options).models().getFirst().perplexity().orElseThrow();
        QualityGoldens.assertSame(QualityGoldens.numbers(golden), List.of(number(4, found.value()), number(5, found.error())));
    }

    /** In the order of llama-perplexity's lines. */
    private static void assertDivergence(String golden, EvaluateReport.Quality model) throws IOException {
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
        QualityGoldens.assertSame(QualityGoldens.numbers(golden), ours);
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
