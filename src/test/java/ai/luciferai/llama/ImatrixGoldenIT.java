package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.ImportanceMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same importance matrices, byte for byte, as llama-imatrix, which runs beside the test: dense models and a mixture of experts, merged, continued, from the older format. */
class ImatrixGoldenIT {

    private static final Path GOLDENS = QualityGoldens.FOLDER;
    private static final String TEXT = QualityGoldens.TEXT.toString();

    @TempDir
    static Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"mixtral-bin", "gemma2", "gpt2-bpe", "qwen2-bpe"})
    void checkpoints(String name) throws IOException {
        ImatrixOptions options = options(name).withChunks(64, 0, 8).withProcessOutput(true);
        assertSameMatrix(options, name, "-f", TEXT, "-c", "64", "--chunks", "8", "--process-output");
    }

    @Test
    void embeddedModel() throws IOException {
        ImatrixOptions options = new ImatrixOptions(java.util.Optional.empty(), java.util.Optional.of(Path.of("src/test/fixtures/data/base-test.jsonl")),
                out(), List.of(), 128, 0, -1, false, false, true, ImatrixOptions.Checkpoints.defaults(), true, ModelOptions.defaults(), oneThread());
        assertSameMatrix(options, EmbeddedModel.path(), "-f", "src/test/fixtures/data/base-test.jsonl", "-c", "128", "--process-output");
    }

    @Test
    void partOfTheTextInSmallBatches() throws IOException {
        assertSameMatrix(options("mixtral-bin").withChunks(64, 8, 4).withContextOptions(oneThread().withBatchSize(32)), "mixtral-bin",
                "-f", TEXT, "-c", "64", "--chunk", "8", "--chunks", "4", "-b", "32");
    }

    @Test
    void continued() throws IOException {
        Path before = GOLDENS.resolve("mixtral-bin.gguf");
        assertSameMatrix(options("mixtral-bin").withChunks(64, 8, 4).withInputs(List.of(before)), "mixtral-bin",
                "-f", TEXT, "-c", "64", "--chunk", "8", "--chunks", "4", "--in-file", before.toString());
    }

    @Test
    void merged() throws IOException {
        merge("mixtral-merged.gguf", "mixtral-bin.gguf", "mixtral-more.gguf");
    }

    @Test
    void olderFormat() throws IOException {
        merge("mixtral-from-dat.gguf", "mixtral.dat", "mixtral.dat");
    }

    /** No model computes here: these bytes are the same everywhere. */
    private static void merge(String golden, String... inputs) throws IOException {
        Path out = out();
        List<Path> files = List.of(inputs).stream().map(GOLDENS::resolve).toList();
        ImatrixReport report = Imatrix.run(ImatrixOptions.merge(files, out).withChunks(64, 0, -1).withForce(true), Progress.NONE, Cancel.NONE);
        assertArrayEquals(Files.readAllBytes(GOLDENS.resolve(golden)), Files.readAllBytes(out));
        assertEquals(0, report.tokens());
    }

    @Test
    void statistics() throws IOException {
        ImatrixStatistics statistics = Imatrix.statistics(Path.of("src/test/fixtures/quantize/imatrix.gguf"));
        var ours = new ArrayList<String>();
        for (ImatrixStatistics.Weight w : statistics.weights()) {
            ours.add(line("%s %s %.2f %.4f %.4f %.2f %.2f %.2f%% %d %.4f %.2f%% %.2f%% %.4f", w.layer(), w.kind(), w.sum(), w.min(), w.max(),
                    w.mean(), w.deviation(), 100 * w.active(), w.columns(), w.entropy(), 100 * w.normalizedEntropy(), 100 * w.outliers(),
                    w.cosineSimilarity()));
        }
        statistics.layers().forEach((layer, a) -> ours.add(line("%d %.2f %.4f%% %.4f", layer, a.sum(), 100 * a.outliers(), a.cosineSimilarity())));
        assertEquals(Files.readAllLines(GOLDENS.resolve("statistics.txt")).stream().map(l -> l.strip().replaceAll("\\s+", " ")).toList(), ours);
    }

    private static String line(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private static ImatrixOptions options(String model) throws IOException {
        return ImatrixOptions.of(QualityGoldens.converted(model, folder), QualityGoldens.TEXT, out()).withForce(true)
                .withContextOptions(oneThread()).withModelOptions(Goldens.onCpu());
    }

    private static ContextOptions oneThread() {
        return ContextOptions.defaults().withThreads(1);
    }

    private static Path out() {
        return folder.resolve("imatrix.gguf");
    }

    private static void assertSameMatrix(ImatrixOptions options, String checkpoint, String... theirOptions) throws IOException {
        assertSameMatrix(options, QualityGoldens.converted(checkpoint, folder), theirOptions);
    }

    private static void assertSameMatrix(ImatrixOptions options, Path model, String... theirOptions) throws IOException {
        Imatrix.run(options, Progress.NONE, Cancel.NONE);
        Path theirs = folder.resolve("llama-imatrix.gguf");
        List<String> all = new ArrayList<>(List.of("-m", model.toString()));
        all.addAll(List.of(theirOptions));
        Upstream.imatrix(theirs, all);
        ImportanceMatrix expected = ImportanceMatrix.read(theirs, options.chunkSize());
        ImportanceMatrix got = ImportanceMatrix.read(options.output(), options.chunkSize());
        assertEquals(List.copyOf(expected.entries().keySet()), List.copyOf(got.entries().keySet()));
        expected.entries().forEach((weight, entry) -> {
            assertArrayEquals(entry.counts(), got.entries().get(weight).counts(), weight);
            assertArrayEquals(entry.sums(), got.entries().get(weight).sums(), weight);
        });
        assertArrayEquals(Files.readAllBytes(theirs), Files.readAllBytes(options.output()));
    }
}
