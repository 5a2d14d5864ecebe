package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Partial;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.StandIn;
import ai.luciferai.llama.ffi.TrainerHandle.Part;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import ai.luciferai.llama.train.ActivationMemory;
import ai.luciferai.llama.train.AdapterFile;
import ai.luciferai.llama.train.Pack;
import ai.luciferai.llama.train.Sample;
import ai.luciferai.llama.train.Targets;
import ai.luciferai.llama.train.TrainingPlan;
import ai.luciferai.llama.train.TrainingState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The verb {@code finetune}: trains a LoRA adapter on a GGUF model, on llama.cpp's own graph.
 *
 * <p>Reports progress in the phases "load", "data" and "train", the last in steps with the metrics {@code loss} (mean over the step's
 * tokens), {@code lr}, {@code gradNorm}, {@code tokensPerSecond} and, behind an evaluation, {@code evalLoss}.
 */
public final class Finetune {

    /** A rank below this is never refused, however small the model. */
    private static final int LEAST_RANK_LIMIT = 1024;

    private Finetune() {}

    /**
     * What a training will be, before it runs.
     *
     * @param adaptedTensors    weights with an adapter
     * @param trainedParameters numbers that are trained
     * @param examples          the first samples as the model sees them; what is not learnt stands apart
     */
    public record Plan(int samples, int evalSamples, long tokens, long supervisedTokens, int truncated, int dropped, List<String> badLines,
            int steps, int rows, int outputs, int adaptedTensors, long trainedParameters, long estimatedBytes, boolean layers,
            List<List<Span>> examples) {}

    /** Part of a sample's text. */
    public record Span(String text, boolean learnt) {}

    /**
     * Trains.
     *
     * @param cancel ends the training after the step that is running; its state is saved beside the output
     * @return what happened; {@link FinetuneReport#stopped()} says whether it was cancelled
     * @throws ai.luciferai.llama.core.UnsupportedModelException the model has an operation that cannot be differentiated
     */
    public static FinetuneReport run(FinetuneOptions options, Progress progress, Cancel cancel) throws IOException {
        AtomicFile.requireUsable(options.out(), options.force(), inputs(options));
        for (Path beside : List.of(options.stateFile(), options.reportFile("json"), options.reportFile("html"))) {
            AtomicFile.requireUsable(beside, true, inputs(options));
        }
        try (TrainingModels models = TrainingModels.load(options, progress, cancel);
                Work work = Work.prepare(models, options, progress, cancel)) {
            return work.train(Progress.guarded(progress), cancel);
        }
    }

    /** Reads model and data and says what {@link #run} would do. */
    public static Plan plan(FinetuneOptions options, Progress progress, Cancel cancel) throws IOException {
        try (Model model = TrainingModels.loadFirst(options, progress, cancel)) {
            return Setup.read(model, options, cancel).plan(model);
        }
    }

    private static List<Path> inputs(FinetuneOptions options) {
        return Stream.of(Stream.of(options.base()), options.data().train().stream(), options.data().eval().stream(), options.initAdapter().stream())
                .flatMap(paths -> paths).toList();
    }

    /** Everything that is known before the trainer exists. */
    private record Setup(FinetuneOptions options, TrainingSet data, TrainingPlan plan, List<Pack> evalPacks, TrainingPlan.Shape shape,
            List<TensorInfo> targets, String architecture, String fingerprint, boolean layers, long estimate) {

        static Setup read(Model model, FinetuneOptions options, Cancel cancel) throws IOException {
            int context = model.info().contextSize();
            int seqLen = options.data().seqLen() > 0 ? options.data().seqLen() : context > 0 ? Math.min(context, 2048) : 2048;
            Check.require(context <= 0 || seqLen <= context, "seq-len", "at most the model's context of " + context, seqLen);
            TrainingRun run = options.run();
            TrainingSet data = TrainingSet.read(model, options.data(), seqLen, run.seed(), cancel);
            var plan = new TrainingPlan(data.train(), run.epochs(), (long) run.batchSize() * run.gradAccumulation(), seqLen - 1,
                    options.data().packing(), run.seed(), TrainingModels.placements(options).size());
            List<Pack> evalPacks = Pack.firstFit(data.eval(), seqLen - 1, options.data().packing());
            TrainingPlan.Shape shape = rounded(plan.shape(cancel).max(TrainingPlan.Shape.of(evalPacks)));
            try (GgufFile base = GgufReader.read(options.base())) {
                List<TensorInfo> targets = Targets.choose(base.tensors(), options.shape().targets());
                requireRank(options.shape().rank(), targets);
                long estimate = wholeBytes(model.info(), base, targets.size(), options.shape().rank(), shape);
                boolean layers = run.memory() == TrainingRun.Memory.LAYER
                        || run.memory() == TrainingRun.Memory.AUTO && estimate > freeBytes(model.info()) / 2;
                return new Setup(options, data, plan, evalPacks, shape, targets, base.metadata().string(Metadata.ARCHITECTURE),
                        TrainingState.fingerprint(base), layers, estimate);
            }
        }

        /** A product of factors cannot have a higher rank than the weight: what is asked for beyond that only takes memory. */
        private static void requireRank(int rank, List<TensorInfo> targets) {
            long most = Math.max(LEAST_RANK_LIMIT, targets.stream().mapToLong(t -> Math.max(t.ne(0), t.ne(1))).max().orElse(0));
            Check.require(rank <= most, "rank", "at most " + most + ", the size of the largest weight", rank);
        }

        /** Whole vectors for the matrix kernels. */
        private static TrainingPlan.Shape rounded(TrainingPlan.Shape shape) {
            int rows = (shape.rows() + TrainingPlan.ROUNDING - 1) / TrainingPlan.ROUNDING * TrainingPlan.ROUNDING;
            return new TrainingPlan.Shape(rows, Math.min(rows, (shape.outputs() + 15) / 16 * 16));
        }

        private static long wholeBytes(ModelInfo info, GgufFile base, int adapters, int rank, TrainingPlan.Shape shape) {
            ModelInfo.Shape s = info.shape();
            return ActivationMemory.wholeBytes(new ActivationMemory.Base(base.metadata(), base.tensors(), s.layers(), s.embedding(), s.heads(),
                    s.vocabulary(), isOnDevice(info)), adapters, rank, shape);
        }

        private static boolean isOnDevice(ModelInfo info) {
            return info.gpuLayers() != 0 && Devices.list().stream().anyMatch(Device::isGpu);
        }

        /** Where the activations will lie: beside the weights, which are loaded. */
        private static long freeBytes(ModelInfo info) {
            return isOnDevice(info) ? Devices.list().stream().filter(Device::isGpu).mapToLong(Device::freeBytes).max().orElse(0) : FreeMemory.bytes();
        }

        Plan plan(Model model) {
            long parameters = targets.stream().mapToLong(t -> options.shape().rank() * (t.ne(0) + t.ne(1))).sum();
            List<List<Span>> examples = data.train().stream().limit(3).map(sample -> spans(model, sample)).toList();
            return new Plan(data.train().size(), data.eval().size(), data.tokens(), data.supervisedTokens(), data.truncated(), data.dropped(),
                    data.badLines(), plan.steps(), shape.rows(), shape.outputs(), targets.size(), parameters, estimate, layers, examples);
        }

        private static List<Span> spans(Model model, Sample sample) {
            var spans = new ArrayList<Span>();
            for (int from = 0; from < sample.length(); ) {
                int to = from + 1;
                while (to < sample.length() && sample.supervised()[to] == sample.supervised()[from]) {
                    to++;
                }
                spans.add(new Span(model.detokenize(Arrays.copyOfRange(sample.tokens(), from, to), true),
                        sample.supervised()[from]));
                from = to;
            }
            return spans;
        }
    }

    /** A training under way. */
    private static final class Work implements AutoCloseable {

        private final Setup setup;
        private final FinetuneOptions options;
        private final TrainingCrew crew;
        /** Of the crew, that which makes the steps. */
        private final LoraTrainer trainer;
        private final List<String> names;
        private final TrainingLog log;

        private Work(Setup setup, TrainingCrew crew, TrainingLog log) {
            this.setup = setup;
            this.options = setup.options();
            this.crew = crew;
            this.trainer = crew.first();
            this.names = trainer.table().stream().map(t -> t.name()).toList();
            this.log = log;
        }

        static Work prepare(TrainingModels models, FinetuneOptions options, Progress progress, Cancel cancel) throws IOException {
            Progress.guarded(progress).update(new Progress.Event("data", 0, -1, "samples"));
            Setup setup = Setup.read(models.first(), options, cancel);
            Path start = startAdapter(setup);
            try {
                TrainingCrew crew = TrainingCrew.open(models.all(), start, new LoraTrainer.Options(setup.shape().rows(), setup.shape().outputs(),
                        setup.layers(), options.shape().dropout(), options.run().threads(), options.run().precision()));
                try {
                    requireAllUsed(setup, crew.first(), start);
                    var work = new Work(setup, crew, new TrainingLog());
                    if (options.resume()) {
                        work.resume();
                    }
                    return work;
                } catch (IOException | RuntimeException fault) {
                    crew.close();
                    throw fault;
                }
            } finally {
                if (options.initAdapter().isEmpty()) {
                    LoraTrainer.deleteQuietly(start);
                }
            }
        }

        /** The given adapter, or an empty one in a file beside the output. */
        private static Path startAdapter(Setup setup) throws IOException {
            FinetuneOptions options = setup.options();
            if (options.initAdapter().isPresent()) {
                return options.initAdapter().get();
            }
            Path start = Partial.beside(options.out().toAbsolutePath());
            return StandIn.of(start, options.out(), () -> {
                try (AtomicFile file = AtomicFile.create(start, true, List.of())) {
                    AdapterFile.write(file, AdapterFile.metadata(setup.architecture(), options.shape().fileAlpha()).build(),
                            AdapterFile.initial(setup.targets(), options.shape().rank(), options.run().seed()));
                    file.commit();
                }
                return start;
            });
        }

        /** llama.cpp ignores adapter tensors of weights that it does not multiply by; training them would do nothing. */
        private static void requireAllUsed(Setup setup, LoraTrainer trainer, Path start) {
            if (setup.options().initAdapter().isPresent()) {
                return;
            }
            List<String> used = trainer.table().stream().map(t -> t.name()).toList();
            List<String> unused = setup.targets().stream().map(TensorInfo::name).filter(name -> !used.contains(name + ".lora_a")).toList();
            Check.require(unused.isEmpty(), "target", "weights that this architecture applies adapters to", unused);
        }

        private void resume() throws IOException {
            Path file = options.stateFile();
            TrainingState state = TrainingState.read(file, setup.fingerprint(), options.settings());
            trainer.restore(Part.VALUE, state.values(names, "", file));
            trainer.restore(Part.M, state.values(names, ".m", file));
            trainer.restore(Part.V, state.values(names, ".v", file));
            log.restore(state, state.tensors().stream().anyMatch(t -> t.name().endsWith(".best")) ? state.values(names, ".best", file) : null);
            trainer.steps(state.updates());
            crew.share();
        }

        private void save() throws IOException {
            var tensors = new ArrayList<AdapterFile.Tensor>();
            tensors.addAll(trainer.tensors(Part.VALUE, ""));
            tensors.addAll(trainer.tensors(Part.M, ".m"));
            tensors.addAll(trainer.tensors(Part.V, ".v"));
            if (log.best() != null) {
                for (int i = 0; i < names.size(); i++) {
                    var t = trainer.table().get(i);
                    tensors.add(new AdapterFile.Tensor(t.name() + ".best", t.ne0(), t.ne1(), log.best().get(i)));
                }
            }
            log.state(setup.fingerprint(), options.settings(), tensors).write(options.stateFile());
        }

        FinetuneReport train(Progress progress, Cancel cancel) throws IOException {
            int steps = setup.plan().steps();
            boolean early = false;
            long began = System.nanoTime();
            if (log.steps() == 0 && !setup.evalPacks().isEmpty()) {
                log.evaluated(0, evaluate());
            }
            while (log.steps() < steps && !early && !cancel.requested()) {
                step(steps, progress);
                early = evaluateWhenDue();
                if (options.run().saveEvery() > 0 && log.steps() % options.run().saveEvery() == 0) {
                    save();
                }
            }
            boolean stopped = log.steps() < steps && !early;
            if (!stopped) {
                evaluateEnd();
            }
            double seconds = (System.nanoTime() - began) / 1e9;
            if (stopped) {
                save();
            } else {
                keepBest();
                trainer.saveAdapter(options.out(), options.force());
            }
            FinetuneReport report = FinetuneReport.of(options, setup.data(), trainer, log, setup.plan().steps(), seconds, setup.layers(), stopped);
            if (!stopped) {
                report.write();
                LoraTrainer.deleteQuietly(options.stateFile());
            }
            return report;
        }

        /** One optimizer step: its micro-batches, then the update. */
        private void step(int steps, Progress progress) {
            int step = log.steps();
            long began = System.nanoTime();
            List<Pack> packs = setup.plan().packs(step);
            double loss = crew.run(packs, true, i -> Objects.hash(options.run().seed(), step, i));
            int learnt = packs.stream().mapToInt(Pack::supervisedCount).sum();
            int rows = packs.stream().mapToInt(Pack::rows).sum();
            float rate = options.schedule().at(step, steps);
            LoraTrainer.Step update = crew.update(options.optimizer(), rate);
            double tokensPerSecond = rows / ((System.nanoTime() - began) / 1e9);
            log.step(loss / learnt, rate, update.gradNorm(), tokensPerSecond, update.skipped());
            progress.update(new Progress.Event("train", log.steps(), steps, "steps", log.metrics()));
        }

        /** Evaluates where the options say so; whether training ends early. */
        private boolean evaluateWhenDue() {
            int every = options.run().evalEvery() > 0 ? options.run().evalEvery() : setup.plan().stepsPerEpoch();
            if (setup.evalPacks().isEmpty() || log.steps() % every != 0) {
                return false;
            }
            evaluateNow();
            int patience = options.run().earlyStopping();
            return patience > 0 && log.badEvaluations() >= patience;
        }

        /** The last evaluation is of what the training has come to, also where its last step is not one of those to be evaluated. */
        private void evaluateEnd() {
            boolean done = !log.evaluations().isEmpty() && log.evaluations().getLast().step() == log.steps();
            if (!setup.evalPacks().isEmpty() && !done) {
                evaluateNow();
            }
        }

        private void evaluateNow() {
            boolean better = log.evaluated(log.steps(), evaluate());
            if (options.run().earlyStopping() > 0 && better) {
                log.best(trainer.tensors(Part.VALUE, "").stream().map(AdapterFile.Tensor::values).toList());
            }
        }

        private double evaluate() {
            int learnt = setup.evalPacks().stream().mapToInt(Pack::supervisedCount).sum();
            return crew.run(setup.evalPacks(), false, i -> 0) / learnt;
        }

        private void keepBest() {
            if (log.best() != null) {
                trainer.restore(Part.VALUE, log.best());
            }
        }

        @Override
        public void close() {
            crew.close();
        }
    }

    /** Memory that is free for programs. */
    private static final class FreeMemory {

        private static final Pattern AVAILABLE =
                Pattern.compile("^MemAvailable:\\s+(\\d+) kB$", Pattern.MULTILINE);

        static long bytes() {
            try {
                var line = AVAILABLE.matcher(Files.readString(Path.of("/proc/meminfo")));
                if (line.find()) {
                    return Long.parseLong(line.group(1)) * 1024;
                }
            } catch (IOException e) {
                // not Linux: the JVM's own notion
            }
            return Runtime.getRuntime().maxMemory() * 4;
        }
    }
}
