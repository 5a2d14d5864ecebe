package ai.luciferai.llama.cli;

import ai.luciferai.llama.AdamW;
import ai.luciferai.llama.ChatTemplate;
import ai.luciferai.llama.DataOptions;
import ai.luciferai.llama.Finetune;
import ai.luciferai.llama.FinetuneOptions;
import ai.luciferai.llama.FinetuneReport;
import ai.luciferai.llama.LoraShape;
import ai.luciferai.llama.Schedule;
import ai.luciferai.llama.TrainingRun;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** {@code finetune}: trains a LoRA adapter. */
final class FinetuneCommand implements Command {

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("finetune", "", 0, """
                Trains a LoRA adapter on a GGUF model, quantized or not.
                Data: JSON lines {"text": …}, {"prompt": …, "completion": …} or {"messages": […]}, or a plain text file. Ctrl-C ends the
                training after the step that is running and saves its state; --resume goes on from there.""");
        files(syntax);
        adapter(syntax);
        training(syntax);
        ModelMixin.devices(syntax);
        syntax.flag("--data-parallel", "a copy of the model on each device, which share a step's micro-batches (--device A,B; default: all)");
        return AcceptedMixin.declare(syntax, "").accepted("-opt --optimizer", List.of("adamw"), "the optimizer");
    }

    private static void files(Syntax syntax) {
        syntax.group("Files")
                .option("--model-base -m --model", "FILE", "the model")
                .option("--train-data -f --file", "FILE", "what to learn from; repeated, the samples of all files are mixed")
                .option("--lora-out", "FILE", "the adapter; a report stands beside it")
                .option("--eval-data", "FILE", "data to evaluate on")
                .option("--eval-split -val-split --val-split", "X", "share of the training data to evaluate on instead", 0)
                .option("--init-adapter", "FILE", "adapter to start from (F32)")
                .flag("--resume", "go on from the state of a stopped training")
                .flag("--force", "replace an existing adapter")
                .flag("--dry-run", "only say what would be done, with the first samples; what is not learnt stands in [[ ]]")
                .flag("--json", "the report as JSON")
                .flag("--json-steps", "each step as a line of JSON, while it runs")
                .group("Data")
                .option("--seq-len", "N", "most tokens of a sample; longer ones lose their beginning (default: the model's context, at most 2048)")
                .choice("--loss", List.of("auto", "all", "response"), "what is learnt: of texts all, of prompts and messages the answers", "auto")
                .toggle("--packing", "--no-packing", "short samples share a micro-batch (default: yes)")
                .flag("--skip-bad-lines", "pass over lines that are no sample")
                .option("--chat-template", "NAME|FILE", "template for messages in place of the model's own");
    }

    private static void adapter(Syntax syntax) {
        LoraShape shape = LoraShape.defaults();
        syntax.group("Adapter")
                .option("--rank", "N", "rank", shape.rank())
                .option("--alpha", "X", "strength: the adapter's part is multiplied by alpha/rank", shape.alpha())
                .flag("--rslora", "by alpha/sqrt(rank) instead")
                .option("--dropout", "X", "share of the adapter's inputs that is dropped while training", shape.dropout())
                .option("--target", "NAME,…", "weights with an adapter: attn_q, q_proj, blk.3.ffn_*, … (default: all linear layers)");
    }

    private static void training(Syntax syntax) {
        TrainingRun run = TrainingRun.defaults();
        Schedule schedule = Schedule.defaults();
        AdamW adamw = AdamW.defaults();
        syntax.group("Training")
                .option("--epochs -epochs", "N", "passes over the data", run.epochs())
                .option("--batch-size", "N", "samples of one step", run.batchSize())
                .option("--grad-accumulation", "N", "batches that make one step", run.gradAccumulation())
                .option("--lr -lr --learning-rate", "X", "learning rate at its peak", schedule.learningRate())
                .choice("--lr-schedule", List.of("constant", "linear", "cosine"), "what follows the warm-up", "cosine")
                .option("--warmup", "N", "steps, or below 1 a share of them, in which the learning rate rises", schedule.warmup())
                .option("--weight-decay -wd", "X", "decoupled weight decay", adamw.weightDecay())
                .option("--max-grad-norm", "X", "larger gradients are scaled down to this norm; 0: never", adamw.maxGradNorm())
                .option("--seed -s", "N", "of the start, the order and dropout", run.seed())
                .option("--eval-every", "N", "steps between evaluations; 0: after each epoch", run.evalEvery())
                .option("--early-stopping", "N", "ends after so many evaluations without improvement, with the best adapter; 0: never",
                        run.earlyStopping())
                .option("--save-every", "N", "steps between saved states; 0: only when stopped", run.saveEvery())
                .choice("--memory", List.of("auto", "whole", "layer"), "keep all activations, or each layer's output only", "auto")
                .choice("--precision", List.of("auto", "f32"), "auto: on a GPU products of 16 bits, else F32", "auto")
                .option("-t --threads", "N", "threads (default: one for each physical core)");
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        FinetuneOptions options = options(a);
        ModelMixin.addServers(a);
        a.requireOne("--json", "--json-steps");
        a.requireOne("--dry-run", "--json-steps");
        if (a.has("--dry-run")) {
            try (ProgressLine progress = environment.progress()) {
                Finetune.Plan plan = Finetune.plan(options, progress, environment.cancel());
                environment.print(a.has("--json") ? Json.pretty(object(plan)) : text(plan));
            }
            return ExitCode.OK;
        }
        FinetuneReport report;
        try (ProgressLine progress = environment.progress()) {
            report = Finetune.run(options, a.has("--json-steps") ? event -> printed(event, environment) : progress, environment.cancel());
        }
        if (report.stopped()) {
            environment.say("stopped after step " + report.steps() + " of " + report.plannedSteps() + "; state: " + options.stateFile()
                    + "; go on with --resume");
            return ExitCode.CANCELLED;
        }
        environment.print(a.has("--json") ? report.json() : text(report));
        return ExitCode.OK;
    }

    /** A step as {@code {"step":3,"steps":90,"loss":1.25,"lr":0.001,…}}. */
    private static void printed(Progress.Event event, Environment environment) {
        if (event.phase().equals("train")) {
            Map<String, Object> line = Json.object("step", event.done(), "steps", event.total());
            line.putAll(event.metrics());
            environment.print(Json.line(line));
        }
    }

    static FinetuneOptions options(Arguments a) {
        requirePresent(a, "--train-data");
        DataOptions data = data(a);
        FinetuneOptions options = FinetuneOptions.of(required(a, "--model-base"), data.train().getFirst(), required(a, "--lora-out"))
                .withData(data).withShape(shape(a)).withSchedule(schedule(a)).withRun(trainingRun(a))
                .withOptimizer(AdamW.defaults().withWeightDecay(a.decimal("--weight-decay", AdamW.defaults().weightDecay()))
                        .withMaxGradNorm(a.decimal("--max-grad-norm", AdamW.defaults().maxGradNorm())))
                .withPlacement(ModelMixin.placement(a)).withDataParallel(a.has("--data-parallel")).withResume(a.has("--resume")).withForce(a.has("--force"));
        return a.has("--init-adapter") ? options.withInitAdapter(ModelMixin.path("--init-adapter", a.text("--init-adapter"))) : options;
    }

    private static Path required(Arguments a, String option) {
        requirePresent(a, option);
        return ModelMixin.path(a.typed(option), a.text(option));
    }

    private static void requirePresent(Arguments a, String option) {
        if (!a.has(option)) {
            throw new InvalidOptionException(option, "a file", "nothing",
                    "lucifer-llama finetune --model-base model.gguf --train-data data.jsonl --lora-out adapter.gguf");
        }
    }

    private static DataOptions data(Arguments a) {
        Optional<Path> eval = Optional.ofNullable(a.text("--eval-data")).map(name -> ModelMixin.path("--eval-data", name));
        ChatTemplate template = a.has("--chat-template") ? ChatTemplate.parse(a.text("--chat-template")) : ChatTemplate.own();
        List<Path> train = a.texts("--train-data").stream().map(name -> ModelMixin.path(a.typed("--train-data"), name)).toList();
        return new DataOptions(train, eval, a.decimal("--eval-split", 0), a.integer("--seq-len", 0), a.on("--packing", true), DataOptions.Loss.valueOf(a.text("--loss", "auto").toUpperCase(Locale.ROOT)),
                a.has("--skip-bad-lines"), template);
    }

    private static LoraShape shape(Arguments a) {
        LoraShape d = LoraShape.defaults();
        return new LoraShape(a.integer("--rank", d.rank()), a.decimal("--alpha", d.alpha()), a.has("--rslora"),
                a.decimal("--dropout", d.dropout()), a.list("--target", ','));
    }

    private static Schedule schedule(Arguments a) {
        Schedule d = Schedule.defaults();
        return new Schedule(a.decimal("--lr", d.learningRate()), Schedule.Shape.parse(a.text("--lr-schedule", "cosine")),
                a.decimal("--warmup", d.warmup()));
    }

    private static TrainingRun trainingRun(Arguments a) {
        TrainingRun d = TrainingRun.defaults();
        return new TrainingRun(a.integer("--epochs", d.epochs()), a.integer("--batch-size", d.batchSize()),
                a.integer("--grad-accumulation", d.gradAccumulation()), a.integer("--seed", (int) d.seed()), a.integer("--eval-every", d.evalEvery()),
                a.integer("--early-stopping", d.earlyStopping()), a.integer("--save-every", d.saveEvery()),
                TrainingRun.Memory.valueOf(a.text("--memory", "auto").toUpperCase(Locale.ROOT)), a.integer("--threads", d.threads()),
                TrainingRun.Precision.valueOf(a.text("--precision", "auto").toUpperCase(Locale.ROOT)));
    }

    private static String text(FinetuneReport r) {
        var out = new StringBuilder(r.options().out().toString()).append('\n');
        out.append("  steps         ").append(r.steps()).append(" of ").append(r.plannedSteps()).append('\n');
        out.append(String.format(Locale.ROOT, "  loss          %.4f, then %.4f%n", r.losses().getFirst(), r.losses().getLast()));
        r.evaluations().forEach(e -> out.append(String.format(Locale.ROOT, "  evaluation    %.4f after step %d%n", e.loss(), e.step())));
        out.append(String.format(Locale.ROOT, "  time          %.1f s, %.0f tokens/s%n", r.seconds(), r.tokensPerSecond()));
        if (r.cpuFallbacks() > 0) {
            out.append("  on the CPU    ").append(r.cpuFallbacks()).append(" operations of a step, which the model's device cannot do\n");
        }
        out.append("  report        ").append(r.htmlFile()).append('\n');
        return out.toString();
    }

    private static String text(Finetune.Plan p) {
        var out = new StringBuilder();
        out.append("samples       ").append(p.samples()).append(", and ").append(p.evalSamples()).append(" to evaluate on\n");
        out.append("tokens        ").append(p.tokens()).append(", ").append(p.supervisedTokens()).append(" of them learnt\n");
        out.append("truncated     ").append(p.truncated()).append(", dropped ").append(p.dropped()).append('\n');
        p.badLines().forEach(line -> out.append("passed over   ").append(line).append('\n'));
        out.append("steps         ").append(p.steps()).append(", micro-batches of at most ").append(p.rows()).append(" tokens\n");
        out.append("adapter       ").append(p.adaptedTensors()).append(" weights, ").append(p.trainedParameters()).append(" parameters\n");
        out.append("memory        ").append(p.estimatedBytes() >> 20).append(" MiB estimated for all activations, mode ")
                .append(p.layers() ? "layer" : "whole").append('\n');
        for (List<Finetune.Span> example : p.examples()) {
            out.append("\n--- sample\n");
            example.forEach(span -> out.append(span.learnt() ? span.text() : "[[" + span.text() + "]]"));
            out.append('\n');
        }
        return out.toString();
    }

    private static Object object(Finetune.Plan p) {
        return Json.object("samples", p.samples(), "eval_samples", p.evalSamples(), "tokens", p.tokens(), "supervised_tokens",
                p.supervisedTokens(), "truncated", p.truncated(), "dropped", p.dropped(), "bad_lines", p.badLines(), "steps", p.steps(),
                "micro_batch_tokens", p.rows(), "adapted_weights", p.adaptedTensors(), "trained_parameters", p.trainedParameters(),
                "estimated_bytes", p.estimatedBytes(), "memory", p.layers() ? "layer" : "whole");
    }
}
