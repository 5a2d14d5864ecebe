package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.report.LinePlot;
import ai.luciferai.llama.train.ReportPage;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a training did.
 *
 * @param stopped           whether it was cancelled: there is a state to resume from, and no adapter
 * @param steps             steps done
 * @param plannedSteps      steps that were planned
 * @param skippedSteps      steps whose gradients were not finite, and that changed nothing
 * @param losses            mean loss of each step over its learnt tokens, in nats
 * @param learningRates     of each step; NaN for steps before a resume
 * @param evaluations       in order
 * @param seconds           of training, without loading
 * @param tokensPerSecond   median over the steps
 * @param trainedParameters numbers that were trained
 * @param computeBytes      memory of the largest graph
 * @param layers            whether activations were computed again layer by layer
 * @param checkDifference   of the copied graph's logits from llama.cpp's
 * @param cpuFallbacks      operations of a step that the model's device cannot do, so that the CPU did them
 * @param lossScale         at the end, see {@link LoraTrainer.Info}
 */
public record FinetuneReport(FinetuneOptions options, boolean stopped, int steps, int plannedSteps, int skippedSteps, List<Double> losses,
        List<Double> learningRates, List<Evaluation> evaluations, DataStatistics data, double seconds, double tokensPerSecond,
        long trainedParameters, long computeBytes, boolean layers, double checkDifference, int cpuFallbacks, float lossScale) {

    /** Mean loss on the evaluation data after so many steps. */
    public record Evaluation(int step, double loss) {}

    /** What was learnt from. */
    public record DataStatistics(int samples, int evalSamples, long tokens, long supervisedTokens, int truncated, int dropped,
            List<String> badLines) {}

    static FinetuneReport of(FinetuneOptions options, TrainingSet data, LoraTrainer trainer, TrainingLog log, int plannedSteps, double seconds,
            boolean layers, boolean stopped) {
        List<TrainingLog.StepEntry> entries = log.entries();
        double[] rates = entries.stream().mapToDouble(TrainingLog.StepEntry::tokensPerSecond).filter(Double::isFinite).sorted().toArray();
        LoraTrainer.Info info = trainer.info();
        return new FinetuneReport(options, stopped, log.steps(), plannedSteps, log.skipped(),
                entries.stream().map(TrainingLog.StepEntry::loss).toList(), entries.stream().map(TrainingLog.StepEntry::learningRate).toList(),
                List.copyOf(log.evaluations()),
                new DataStatistics(data.train().size(), data.eval().size(), data.tokens(), data.supervisedTokens(), data.truncated(),
                        data.dropped(), data.badLines()),
                seconds, rates.length == 0 ? 0 : rates[rates.length / 2], trainer.parameters(), info.computeBytes(), layers,
                info.checkDifference(), info.cpuFallbacks(), info.lossScale());
    }

    /** File of the report as JSON. */
    public Path jsonFile() {
        return options.reportFile("json");
    }

    /** File of the report as a page. */
    public Path htmlFile() {
        return options.reportFile("html");
    }

    /** Writes both files, in place of older ones. */
    void write() throws IOException {
        write(jsonFile(), json());
        write(htmlFile(), ReportPage.html("LoRA training of " + options.base().getFileName(), settings(), results(), losses, learningRates,
                evaluations.stream().map(e -> new LinePlot.Point(e.step(), e.loss())).toList(), modelCard()));
    }

    private static void write(Path path, String text) throws IOException {
        try (AtomicFile file = AtomicFile.create(path, true, List.of())) {
            file.write(text.getBytes(StandardCharsets.UTF_8));
            file.commit();
        }
    }

    private Map<String, String> settings() {
        var rows = new LinkedHashMap<String, String>();
        LoraShape shape = options.shape();
        rows.put("base model", options.base().getFileName().toString());
        rows.put("training data", options.data().train().stream().map(file -> file.getFileName().toString()).collect(Collectors.joining(", ")));
        options.data().eval().ifPresent(file -> rows.put("evaluation data", file.getFileName().toString()));
        rows.put("loss", switch (options.data().loss()) {
            case AUTO -> "auto: of texts all, of prompts and messages the answers";
            case ALL -> "all";
            case RESPONSE -> "response";
        });
        rows.put("chat template", template(options.data().template()));
        rows.put("rank, alpha", shape.rank() + ", " + shape.alpha() + (shape.rslora() ? " (rank-stabilised)" : ""));
        rows.put("targets", shape.targets().isEmpty() ? "all linear layers" : String.join(", ", shape.targets()));
        rows.put("dropout", String.valueOf(shape.dropout()));
        rows.put("learning rate", options.schedule().learningRate() + ", " + options.schedule().shape() + ", warm-up "
                + options.schedule().warmup());
        rows.put("epochs, batch", options.run().epochs() + ", " + options.run().batchSize() + " x " + options.run().gradAccumulation());
        rows.put("precision, memory", lower(options.run().precision()) + ", " + (layers ? "layer" : "whole"));
        if (options.dataParallel()) {
            rows.put("data parallel", TrainingModels.placements(options).stream().map(p -> p.devices().getFirst()).collect(Collectors.joining(", ")));
        }
        rows.put("seed", String.valueOf(options.run().seed()));
        return rows;
    }

    private static String template(ChatTemplate template) {
        return template.isOwn() ? "the model's own" : template.file().map(file -> file.getFileName().toString())
                .orElseGet(() -> template.source().lines().count() > 1 ? "given as text" : template.source());
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    private Map<String, String> results() {
        var rows = new LinkedHashMap<String, String>();
        rows.put("steps", steps + " of " + plannedSteps + (skippedSteps > 0 ? ", " + skippedSteps + " skipped" : ""));
        rows.put("samples", data.samples() + ", " + data.evalSamples() + " to evaluate on");
        rows.put("tokens", data.tokens() + ", " + data.supervisedTokens() + " of them learnt");
        rows.put("truncated, dropped", data.truncated() + ", " + data.dropped());
        rows.put("first and last loss", losses.isEmpty() ? "-" : String.format(Locale.ROOT, "%.4f, %.4f", losses.getFirst(), losses.getLast()));
        if (!evaluations.isEmpty()) {
            rows.put("last evaluation", String.format(Locale.ROOT, "%.4f", evaluations.getLast().loss()));
        }
        rows.put("time", String.format(Locale.ROOT, "%.1f s, %.0f tokens/s", seconds, tokensPerSecond));
        rows.put("trained parameters", String.valueOf(trainedParameters));
        return rows;
    }

    /** The text of a model card. */
    public String modelCard() {
        var text = new StringBuilder("# LoRA adapter for ").append(options.base().getFileName()).append("\n\n## Training\n\n");
        settings().forEach((name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
        text.append("\n## Results\n\n");
        results().forEach((name, value) -> text.append("- ").append(name).append(": ").append(value).append('\n'));
        return text.append("\n## Use\n\n    lucifer-llama generate -m ").append(options.base().getFileName()).append(" --lora ")
                .append(options.out().getFileName()).append(" -p \"…\"\n").toString();
    }

    /** The report as JSON text. */
    public String json() {
        JsonMapper mapper = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
        ObjectNode root = mapper.createObjectNode();
        root.put("stopped", stopped).put("steps", steps).put("planned_steps", plannedSteps).put("skipped_steps", skippedSteps);
        root.put("seconds", seconds).put("tokens_per_second", tokensPerSecond).put("trained_parameters", trainedParameters);
        root.put("compute_bytes", computeBytes).put("memory", layers ? "layer" : "whole").put("check_difference", checkDifference);
        root.put("cpu_fallbacks", cpuFallbacks).put("loss_scale", lossScale);
        ObjectNode set = root.putObject("data");
        set.put("samples", data.samples()).put("eval_samples", data.evalSamples()).put("tokens", data.tokens());
        set.put("supervised_tokens", data.supervisedTokens()).put("truncated", data.truncated()).put("dropped", data.dropped());
        data.badLines().forEach(set.putArray("bad_lines")::add);
        ObjectNode given = root.putObject("settings");
        settings().forEach(given::put);
        numbers(root.putArray("loss"), losses);
        numbers(root.putArray("learning_rate"), learningRates);
        ArrayNode evals = root.putArray("evaluations");
        evaluations.forEach(e -> evals.addObject().put("step", e.step()).put("loss", e.loss()));
        try {
            return mapper.writeValueAsString(root) + "\n";
        } catch (IOException e) {
            throw new IllegalStateException("a tree of plain values can always be written", e);
        }
    }

    /** JSON has no NaN: null stands for it. */
    private static void numbers(ArrayNode array, List<Double> values) {
        for (double value : new ArrayList<>(values)) {
            if (Double.isFinite(value)) {
                array.add(value);
            } else {
                array.addNull();
            }
        }
    }
}
