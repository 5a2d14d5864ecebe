package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.Collector;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.Scorer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lets models read the text of an evaluation: the base first, whose predictions go to a file, then those that are compared with it.
 *
 * <p><i>Ownership</i>: of {@link Evaluate}; closing it deletes the file unless it was wanted.
 */
final class TextReading implements AutoCloseable {

    /** What one model has shown. */
    record Result(Optional<Estimate> perplexity, Optional<Divergence> divergence, double tokensPerSecond) {

        static final Result NOTHING = new Result(Optional.empty(), Optional.empty(), 0);
    }

    private final EvaluateOptions options;
    private final Optional<Path> baseModel;
    /** Where the base's predictions are; empty: there is no base, or it has not been read yet. */
    private Optional<Path> predictions;
    private Path temporary;

    private TextReading(EvaluateOptions options, Optional<Path> baseModel, Optional<Path> predictions) {
        this.options = options;
        this.baseModel = baseModel;
        this.predictions = predictions;
    }

    static TextReading open(EvaluateOptions options) throws IOException {
        Optional<Path> base = options.reading().base();
        if (base.isEmpty() || !LogitsFile.isOne(base.get())) {
            Check.require(base.isEmpty() || options.reading().text().isPresent(), "file", "a text that " + base.map(Path::toString).orElse("")
                    + " and the others read", "none");
            return new TextReading(options, base, Optional.empty());
        }
        Check.require(options.reading().saveLogits().isEmpty(), "save-logits", "a model as --base", "a file of predictions");
        return new TextReading(options, Optional.empty(), base);
    }

    /** The model that the others are compared with. */
    Optional<Path> baseModel() {
        return baseModel;
    }

    Result read(Model model, String name, boolean base, Progress progress, Cancel cancel) throws IOException {
        if (options.reading().isNone()) {
            return Result.NOTHING;
        }
        if (!base && predictions.isPresent()) {
            try (LogitsFile file = LogitsFile.open(predictions.get())) {
                requireSameVocabulary(model, file);
                requireSameText(model, file, cancel);
                return run(Scorer.Mode.COMPARE, model, name, file.chunks(), file, progress, cancel);
            }
        }
        var part = new TextChunks.Part(options.reading().chunkSize(), 0, options.reading().chunks());
        TextChunks chunks = TextChunks.read(options.reading().text().orElseThrow(), part, false, model, cancel);
        return base || options.reading().saveLogits().isPresent()
                ? keep(model, name, chunks, progress, cancel)
                : run(Scorer.Mode.SCORE, model, name, chunks, null, progress, cancel);
    }

    private void requireSameVocabulary(Model model, LogitsFile file) {
        int own = model.info().shape().vocabulary();
        if (own != file.vocabulary()) {
            throw new InvalidFileException(model.info().path(), "vocabulary", "the base's " + file.vocabulary() + " words", own + " words");
        }
    }

    /** A file of predictions holds its text; one that is named beside it must be that. */
    private void requireSameText(Model model, LogitsFile file, Cancel cancel) throws IOException {
        Optional<Path> text = options.reading().text();
        if (baseModel.isPresent() || text.isEmpty()) {
            return;
        }
        TextChunks own = TextChunks.read(text.get(), new TextChunks.Part(file.chunks().size(), 0, file.chunks().count()), false, model, cancel);
        if (!Arrays.equals(own.tokens(), file.chunks().tokens())) {
            throw new InvalidFileException(predictions.orElseThrow(), "text", "predictions on " + text.get(), "those on another text",
                    "leave -f out: the file holds its text", null);
        }
    }

    private Result keep(Model model, String name, TextChunks chunks, Progress progress, Cancel cancel) throws IOException {
        int vocabulary = model.info().shape().vocabulary();
        Optional<Path> wanted = options.reading().saveLogits();
        Path target = wanted.isPresent() ? wanted.get() : (temporary = Files.createTempFile("lucifer-llama-", ".logits"));
        DiskSpace.require(target, LogitsFile.bytes(chunks, vocabulary));
        try (AtomicFile out = AtomicFile.create(target, options.force() || wanted.isEmpty(), List.of(model.info().path()))) {
            LogitsFile file = LogitsFile.create(out.channel(), chunks, vocabulary);
            Result result = run(Scorer.Mode.PACK, model, name, chunks, file, progress, cancel);
            out.commit(cancel);
            predictions = Optional.of(target);
            return result;
        }
    }

    private Result run(Scorer.Mode mode, Model model, String name, TextChunks chunks, LogitsFile file, Progress progress, Cancel cancel)
            throws IOException {
        try (var decoder = new ChunkDecoder(model, chunks, options.contextOptions(), Collector.NONE);
                var scorer = new Scorer(mode, model.info().shape().vocabulary(), chunks.rows())) {
            var judge = new Judge(mode, scorer, chunks, file);
            long start = System.nanoTime();
            decoder.run(name, judge, progress, cancel);
            return judge.result((long) chunks.count() * chunks.size() * 1e9 / (System.nanoTime() - start));
        }
    }

    /** Adds up what the predictions are worth. */
    private record Judge(Scorer.Mode mode, Scorer scorer, TextChunks chunks, LogitsFile file, PerplexitySum perplexity,
            DivergenceSum divergence) implements ChunkDecoder.Listener {

        Judge(Scorer.Mode mode, Scorer scorer, TextChunks chunks, LogitsFile file) {
            this(mode, scorer, chunks, file, new PerplexitySum(), new DivergenceSum());
        }

        @Override
        public void rows(ContextHandle context, int chunk, int index, int row, int n) throws IOException {
            if (row == 0) {
                scorer.labels(chunks.tokens(), chunks.label(chunk), chunks.rows());
                if (mode == Scorer.Mode.COMPARE) {
                    file.read(chunk, scorer.packed());
                }
            }
            scorer.judge(context, index, row, n);
            for (int i = row; i < row + n; i++) {
                if (mode == Scorer.Mode.COMPARE) {
                    divergence.add(scorer.divergence(i));
                } else {
                    perplexity.add(scorer.nll(i));
                }
            }
            if (mode == Scorer.Mode.PACK && row + n == chunks.rows()) {
                file.write(chunk, scorer.packed());
            }
        }

        @Override
        public Map<String, Double> done(int count) {
            return Map.of("ppl", mode == Scorer.Mode.COMPARE ? divergence.perplexity() : perplexity.value());
        }

        Result result(double tokensPerSecond) {
            if (mode != Scorer.Mode.COMPARE) {
                return new Result(Optional.of(perplexity.estimate()), Optional.empty(), tokensPerSecond);
            }
            Divergence found = divergence.divergence();
            return new Result(Optional.of(found.perplexity()), Optional.of(found), tokensPerSecond);
        }
    }

    @Override
    public void close() throws IOException {
        if (temporary != null) {
            Files.deleteIfExists(temporary);
        }
    }
}
