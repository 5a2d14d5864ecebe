package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.NativeLibraryException;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The verb {@code evaluate}: how good models are, and what quantization has cost them. Several models give rows of one table, so that the
 * best balance of size and quality can be chosen.
 */
public final class Evaluate {

    private final EvaluateOptions options;
    private final Progress progress;
    private final Cancel cancel;
    private final Optional<AnswerKey> key;

    private Evaluate(EvaluateOptions options, Progress progress, Cancel cancel) throws IOException {
        this.options = sized(options);
        this.progress = Progress.guarded(progress);
        this.cancel = cancel;
        for (Path input : inputs()) {
            MappedFile.requireReadable(input);
        }
        for (Path output : outputs()) {
            AtomicFile.requireUsable(output, options.force(), inputs());
        }
        Optional<Path> data = options.answers().exactMatch();
        this.key = data.isPresent() ? Optional.of(AnswerKey.read(data.get())) : Optional.empty();
    }

    /** All models read the same chunks. */
    private static EvaluateOptions sized(EvaluateOptions options) {
        EvaluateOptions.Reading reading = options.reading();
        var models = new ArrayList<>(models(options));
        reading.base().ifPresent(models::add);
        return reading.isNone() ? options : options.withReading(reading.withChunks(ChunkSize.of(reading.chunkSize(), models), reading.chunks()));
    }

    private static List<Path> models(EvaluateOptions options) {
        return options.models().isEmpty() ? List.of(EmbeddedModel.path()) : options.models();
    }

    private List<Path> inputs() {
        var inputs = new ArrayList<>(options.models());
        options.reading().text().ifPresent(inputs::add);
        options.reading().base().ifPresent(inputs::add);
        options.answers().exactMatch().ifPresent(inputs::add);
        return inputs;
    }

    private List<Path> outputs() {
        var outputs = new ArrayList<Path>();
        options.page().ifPresent(outputs::add);
        options.reading().saveLogits().ifPresent(outputs::add);
        return outputs;
    }

    /**
     * Evaluates one model after the other. One that fails does not keep the others from being evaluated: its row says why.
     *
     * @param progress hears of the phases "load" and the models' names, in tokens read and prompts answered
     * @throws ai.luciferai.llama.core.InvalidFileException   a text that is too short, data that is none, a base of another vocabulary
     * @throws ai.luciferai.llama.core.InvalidOptionException an output that cannot be used, options that do not go together
     * @throws CancelledException on request; of the outputs, only predictions of a base that was finished stay
     */
    public static EvaluateReport run(EvaluateOptions options, Progress progress, Cancel cancel) throws IOException {
        return new Evaluate(options, progress, cancel).run();
    }

    private EvaluateReport run() throws IOException {
        var rows = new ArrayList<EvaluateReport.Quality>();
        try (TextReading reading = TextReading.open(options)) {
            if (reading.baseModel().isPresent()) {
                rows.add(evaluate(reading.baseModel().get(), reading, true));
            }
            for (Path model : models(options)) {
                rows.add(row(model, reading));
            }
        }
        var report = new EvaluateReport(options, rows);
        if (options.page().isPresent()) {
            write(options.page().get(), report.html());
        }
        return report;
    }

    private void write(Path page, String html) throws IOException {
        try (AtomicFile file = AtomicFile.create(page, options.force(), inputs())) {
            file.write(html.getBytes(StandardCharsets.UTF_8));
            file.commit(cancel);
        }
    }

    private EvaluateReport.Quality row(Path path, TextReading reading) throws IOException {
        try {
            return evaluate(path, reading, false);
        } catch (CancelledException | NativeLibraryException e) {
            throw e;
        } catch (BridgeException e) {
            if (options.models().size() <= 1) {
                throw e;
            }
            return new EvaluateReport.Quality(path, name(path, false), "", Files.size(path), 0, Double.NaN, false, Optional.empty(), Optional.empty(),
                    Optional.empty(), List.of(), 0, PeakMemory.UNKNOWN, Optional.of(e));
        }
    }

    private String name(Path path, boolean base) {
        return options.models().isEmpty() && !base ? "embedded" : path.getFileName().toString().replaceFirst("(?i)\\.gguf$", "");
    }

    private EvaluateReport.Quality evaluate(Path path, TextReading reading, boolean base) throws IOException {
        PeakMemory.reset();
        InfoReport info = Info.run(new InfoOptions(path, 0));
        String name = name(path, base);
        try (Model model = Model.load(path, options.modelOptions(), progress, cancel)) {
            TextReading.Result read = reading.read(model, name, base, progress, cancel);
            var answering = new Answering(model, options.contextOptions(), event -> progress.update(
                    new Progress.Event(name + ", answers", event.done(), event.total(), event.unit(), event.metrics())), cancel);
            Optional<ExactMatch> exact = key.map(k -> k.score(answering));
            List<String> answers = answering.ask(options.answers().prompts(), options.answers().maxTokens(), List.of());
            double speed = read.tokensPerSecond() > 0 ? read.tokensPerSecond() : answering.tokensPerSecond();
            return new EvaluateReport.Quality(path, name, info.fileType(), info.bytes(), info.parameters(), info.bitsPerWeight(), base,
                    read.perplexity(), read.divergence(), exact, answers, speed, PeakMemory.bytes(), Optional.empty());
        }
    }
}
