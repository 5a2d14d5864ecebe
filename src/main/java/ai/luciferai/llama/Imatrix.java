package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.Collector;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.Scorer;
import ai.luciferai.llama.gguf.ImportanceMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The verb {@code imatrix}: which weights of a model matter most, found by letting it read a text. {@link Quantize} then spends its bits
 * where they matter.
 */
public final class Imatrix {

    private final ImatrixOptions options;
    private final Progress progress;
    private final Cancel cancel;
    private final ImportanceMatrix matrix;
    private boolean written;

    private Imatrix(ImatrixOptions options, Progress progress, Cancel cancel) throws IOException {
        this.options = sized(options);
        this.progress = Progress.guarded(progress);
        this.cancel = cancel;
        AtomicFile.requireUsable(options.output(), options.force(), read(options));
        for (Path input : read(options)) {
            MappedFile.requireReadable(input);
        }
        matrix = new ImportanceMatrix(this.options.chunkSize());
        for (Path input : options.inputs()) {
            matrix.add(input);
        }
    }

    private static ImatrixOptions sized(ImatrixOptions options) {
        List<Path> models = options.text().isEmpty() ? List.of() : List.of(options.model().orElseGet(EmbeddedModel::path));
        return options.withChunks(ChunkSize.of(options.chunkSize(), models), options.firstChunk(), options.chunks());
    }

    private static List<Path> read(ImatrixOptions options) {
        var files = new ArrayList<>(options.inputs());
        options.text().ifPresent(files::add);
        options.model().ifPresent(files::add);
        return files;
    }

    /**
     * Makes an importance matrix, to the same bytes as llama-imatrix.
     *
     * <p>When it is cancelled and a checkpoint was written, the output holds the chunks up to it: a valid importance matrix, to which
     * a later run can add the rest of the text ({@link ImatrixOptions#inputs}, {@link ImatrixOptions#firstChunk}).
     *
     * @param progress hears of the phases "load" and "imatrix", the latter in tokens, with the metric "ppl"
     * @throws ai.luciferai.llama.core.InvalidFileException a text that is too short, an input that is no importance matrix or one of
     *     another model, a model that computes with numbers that are none
     * @throws CancelledException on request; its message says what the output holds
     */
    public static ImatrixReport run(ImatrixOptions options, Progress progress, Cancel cancel) throws IOException {
        long start = System.nanoTime();
        var imatrix = new Imatrix(options, progress, cancel);
        if (options.text().isEmpty()) {
            imatrix.write(options.output(), cancel);
            return imatrix.report(0, Optional.empty(), start);
        }
        try (Model model = Generate.open(options.model(), options.modelOptions(), progress, cancel)) {
            return imatrix.collect(model, start);
        }
    }

    /** What an importance matrix says about each weight. */
    public static ImatrixStatistics statistics(Path file) throws IOException {
        return ImatrixStatistics.of(ImportanceMatrix.read(file, ImatrixOptions.CHUNK));
    }

    private ImatrixReport collect(Model model, long start) throws IOException {
        var part = new TextChunks.Part(options.chunkSize(), options.firstChunk(), options.chunks());
        TextChunks chunks = TextChunks.read(options.text().orElseThrow(), part, options.parseSpecial(), model, cancel);
        int what = options.processOutput() ? Collector.OUTPUT : Collector.BLOCKS;
        try (var decoder = new ChunkDecoder(model, chunks, options.contextOptions(), what);
                var scorer = new Scorer(Scorer.Mode.SCORE, model.info().shape().vocabulary(), chunks.rows())) {
            var reading = new Reading(new Collector(decoder.context()), chunks, scorer);
            decoder.run("imatrix", reading, progress, cancel);
            reading.fetch();
            if (matrix.entries().isEmpty()) {
                throw new InvalidFileException(model.info().path(), "model", "weights of blocks that a text is multiplied with", "none");
            }
            write(options.output(), cancel);
            return report((long) chunks.count() * chunks.size(), reading.estimate(), start);
        } catch (CancelledException e) {
            throw written ? new CancelledException("imatrix (%s holds the first %d chunks)".formatted(options.output(), matrix.chunks()))
                    : e;
        }
    }

    private ImatrixReport report(long tokens, Optional<Estimate> perplexity, long start) {
        var gaps = new ArrayList<String>();
        matrix.entries().forEach((name, entry) -> {
            if (entry.unused() > 0) {
                gaps.add("%s: %d of %d experts were never used".formatted(name, entry.unused(), entry.counts().length));
            }
        });
        return new ImatrixReport(options, matrix.entries().size(), matrix.chunks(), tokens, perplexity, gaps,
                (System.nanoTime() - start) / 1e6);
    }

    private void write(Path target, Cancel until) throws IOException {
        boolean ours = target.equals(options.output()) && written;
        try (AtomicFile out = AtomicFile.create(target, options.force() || ours, read(options))) {
            matrix.write(out, options.text().map(Path::toString).orElse(null));
            out.commit(until);
        }
        written |= target.equals(options.output());
    }

    /** Scores what is read, and writes checkpoints. */
    private final class Reading implements ChunkDecoder.Listener {

        private final Collector collector;
        private final TextChunks chunks;
        private final Scorer scorer;
        private final PerplexitySum sum = new PerplexitySum();
        private final long chunksBefore = matrix.chunks();
        private long lastChunk = chunksBefore;

        Reading(Collector collector, TextChunks chunks, Scorer scorer) {
            this.collector = collector;
            this.chunks = chunks;
            this.scorer = scorer;
            matrix.entries().forEach((name, entry) -> collector.put(new Collector.Entry(name, entry.sums(), entry.counts())));
        }

        @Override
        public void rows(ContextHandle context, int chunk, int index, int row, int n) {
            if (!options.perplexity()) {
                return;
            }
            scorer.labels(chunks.tokens(), chunks.label(chunk), chunks.rows());
            scorer.judge(context, index, row, n);
            for (int i = row; i < row + n; i++) {
                sum.add(scorer.nll(i));
            }
        }

        @Override
        public Map<String, Double> done(int count) throws IOException {
            long now = chunksBefore + count;
            boolean checkpoint = passed(options.checkpoints().every(), now);
            boolean copy = passed(options.checkpoints().copiesEvery(), now);
            if ((checkpoint || copy) && count < chunks.count()) {
                fetch();
                if (checkpoint) {
                    write(options.output(), Cancel.NONE);
                }
                if (copy) {
                    write(options.copy(now), Cancel.NONE);
                }
            }
            lastChunk = now;
            return options.perplexity() ? Map.of("ppl", sum.value()) : Map.of();
        }

        /** Whether a multiple of the period lies in the chunks that were just read. */
        private boolean passed(int period, long now) {
            return period > 0 && now / period > lastChunk / period;
        }

        void fetch() {
            for (int i = 0; i < collector.size(); i++) {
                Collector.Entry entry = collector.entry(i);
                matrix.put(entry.name(), new ImportanceMatrix.Entry(entry.sums(), entry.counts()));
            }
        }

        Optional<Estimate> estimate() {
            return options.perplexity() ? Optional.of(sum.estimate()) : Optional.empty();
        }
    }
}
