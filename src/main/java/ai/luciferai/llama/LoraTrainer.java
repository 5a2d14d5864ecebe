package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.ffi.AdapterHandle;
import ai.luciferai.llama.ffi.TrainerHandle;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.train.AdapterFile;
import ai.luciferai.llama.train.Pack;
import ai.luciferai.llama.train.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Trains a LoRA adapter step by step, for a loop of one's own; {@link Finetune} is the whole verb.
 *
 * <pre>{@code
 * try (var model = Model.load(base, LoraTrainer.MODEL_OPTIONS);
 *      var trainer = LoraTrainer.open(model, start, new LoraTrainer.Options(256, 256, false, 0, 0))) {
 *     double loss = trainer.accumulate(List.of(sample), 0, Cancel.NONE) / sample.supervisedCount();
 *     trainer.update(AdamW.defaults(), 1e-4f);
 *     trainer.saveAdapter(out, false);
 * }
 * }</pre>
 *
 * <p><i>Ownership</i>: of whoever opened it; closed before its model. <i>Threads</i>: one at a time.
 */
public final class LoraTrainer implements AutoCloseable {

    /** How a model is to be loaded for training: its weights stay in the file's types, and are not rearranged for inference. */
    public static final ModelOptions MODEL_OPTIONS = ModelOptions.defaults().withRepack(false);

    /** Largest difference between our copy of the graph and llama.cpp's own logits, as a share of the largest logit. */
    private static final double TOLERANCE = 1e-4;

    /**
     * Size and manner.
     *
     * @param rows    most rows of a micro-batch; a sample of n tokens takes n - 1
     * @param outputs most tokens to learn in a micro-batch
     * @param layers  whether only each layer's output is kept in memory and the rest computed again
     * @param dropout share of the adapters' inputs that is dropped while training
     * @param threads 0: one for each physical core
     * @param precision of the arithmetic
     */
    public record Options(int rows, int outputs, boolean layers, float dropout, int threads, TrainingRun.Precision precision) {

        /** {@link TrainingRun.Precision#AUTO}. */
        public Options(int rows, int outputs, boolean layers, float dropout, int threads) {
            this(rows, outputs, layers, dropout, threads, TrainingRun.Precision.AUTO);
        }

        public Options {
            Check.present("precision", precision);
            Check.atLeast("rows", rows, 4);
            Check.require(outputs >= 1 && outputs <= rows, "outputs", "1 to rows (" + rows + ")", outputs);
            Check.atLeast("threads", threads, 0);
        }

        Options withThreads(int v) {
            return new Options(rows, outputs, layers, dropout, v, precision);
        }
    }

    /**
     * Tokens and which of them are learnt.
     *
     * @param tokens what the model sees, at least 2
     * @param learnt as many marks; that of the first token does not count
     */
    public record TrainingSample(int[] tokens, boolean[] learnt) {

        public TrainingSample {
            Check.require(tokens.length >= 2 && tokens.length == learnt.length, "sample", "2 tokens or more, and as many marks",
                    tokens.length + " and " + learnt.length);
        }

        /** Tokens to learn. */
        public int supervisedCount() {
            return toSample().supervisedCount();
        }

        Sample toSample() {
            return new Sample(tokens.clone(), learnt.clone());
        }
    }

    /** What a step did: L2 norm of the gradients before clipping; {@code skipped}: they were not finite. */
    public record Step(double gradNorm, boolean skipped) {}

    /**
     * Numbers of the trainer.
     *
     * @param checkDifference of the copied graph's logits from llama.cpp's
     * @param cpuFallbacks    operations of a step that the model's device cannot do, so that the CPU does them
     * @param lossScale       what the loss is multiplied by while gradients are computed: 1 on the CPU alone, elsewhere as much as keeps
     *                        small ones above what half precision can hold and large ones below
     */
    public record Info(long computeBytes, long steps, double checkDifference, double checkMagnitude, int layers, int cpuFallbacks,
            float lossScale) {}

    private final Model model;
    private final AdapterHandle adapter;
    private final TrainerHandle trainer;
    private final Metadata metadata;
    private final Options options;

    private LoraTrainer(Model model, AdapterHandle adapter, TrainerHandle trainer, Metadata metadata, Options options) {
        this.model = model;
        this.adapter = adapter;
        this.trainer = trainer;
        this.metadata = metadata;
        this.options = options;
    }

    /**
     * Opens a trainer for an adapter file of F32 tensors, such as {@link Finetune} starts from. The file is only read.
     *
     * @throws UnsupportedModelException the model has an operation that cannot be differentiated, or our copy of its graph does not
     *     compute what llama.cpp does
     */
    public static LoraTrainer open(Model model, Path start, Options options) {
        Metadata metadata = LoadCheck.adapter(start, model.info().path());
        AdapterHandle adapter = AdapterHandle.load(model.handle(), start);
        try {
            int threads = options.threads() > 0 ? options.threads() : ContextSetup.physicalCores();
            var arithmetic = options.precision() == TrainingRun.Precision.F32 ? TrainerHandle.Arithmetic.EXACT : TrainerHandle.Arithmetic.MIXED;
            var params = new TrainerHandle.Params(options.rows(), options.outputs(), threads, options.layers(), arithmetic, options.dropout(), 0);
            TrainerHandle trainer = TrainerHandle.init(model.handle(), adapter, params);
            var opened = new LoraTrainer(model, adapter, trainer, metadata, options);
            opened.requireSound();
            return opened;
        } catch (RuntimeException fault) {
            adapter.close();
            throw fault;
        }
    }

    private void requireSound() {
        Info info = info();
        if (!(info.checkDifference() <= TOLERANCE * info.checkMagnitude())) {
            close();
            throw new UnsupportedModelException(model.info().path(), "graph",
                    "logits that equal llama.cpp's to %g".formatted(TOLERANCE * info.checkMagnitude()),
                    "a difference of %g".formatted(info.checkDifference()));
        }
    }

    /** Memory, steps, and how well the copied graph agrees with llama.cpp's. */
    public Info info() {
        TrainerHandle.Info i = trainer.describe();
        return new Info(i.computeBytes(), i.nSteps(), i.checkDifference(), i.checkMagnitude(), i.nLayers(), i.nFallbacks(), i.lossScale());
    }

    /** Trained numbers in all. */
    public long parameters() {
        return trainer.tensors().stream().mapToLong(TrainerHandle.Tensor::elements).sum();
    }

    /**
     * Adds the gradients of samples, which together fit into {@link Options#rows} and {@link Options#outputs}.
     *
     * @param dropoutSeed of the dropout masks
     * @return the sum of -log p over the tokens to learn, in nats
     */
    public double accumulate(List<TrainingSample> samples, int dropoutSeed, Cancel cancel) {
        return run(new Pack(samples.stream().map(TrainingSample::toSample).toList()), true, dropoutSeed, cancel);
    }

    /** The sum of -log p over the tokens to learn, without learning. */
    public double evaluate(List<TrainingSample> samples, Cancel cancel) {
        return run(new Pack(samples.stream().map(TrainingSample::toSample).toList()), false, 0, cancel);
    }

    double run(Pack pack, boolean learn, int dropoutSeed, Cancel cancel) {
        Check.require(pack.rows() <= options.rows() && pack.supervisedCount() <= options.outputs(), "samples",
                "at most %d rows and %d tokens to learn".formatted(options.rows(), options.outputs()),
                pack.rows() + " and " + pack.supervisedCount());
        Pack.Rows rows = pack.toRows();
        float[] weights = new float[rows.outputs().length];
        Arrays.fill(weights, 1f);
        return trainer.run(new TrainerHandle.Rows(rows.tokens(), rows.positions(), rows.sequences(), rows.outputs(), rows.labels(), weights,
                dropoutSeed), learn, cancel);
    }

    /** One optimizer step with the mean gradient over the tokens learnt since the last one. */
    public Step update(AdamW adamw, float learningRate) {
        TrainerHandle.Update update = trainer.update(new TrainerHandle.AdamW(learningRate, adamw.beta1(), adamw.beta2(), adamw.epsilon(),
                adamw.weightDecay(), adamw.maxGradNorm()));
        return new Step(update.gradNorm(), update.skipped());
    }

    /**
     * Adds the gradients that another trainer of the same adapter, on a model of its own, has gathered since its last update; there they are
     * cleared.
     */
    public void gather(LoraTrainer from) {
        trainer.gather(from.trainer);
    }

    /** Gives what it has learnt to another trainer of the same adapter; not the optimizer's moments, which one of them keeps. */
    public void share(LoraTrainer to) {
        trainer.share(to.trainer);
    }

    /** Writes the adapter as a GGUF file that llama.cpp loads. */
    public void saveAdapter(Path out, boolean force) throws IOException {
        try (AtomicFile file = AtomicFile.create(out, force, List.of(model.info().path()))) {
            AdapterFile.write(file, metadata, tensors(TrainerHandle.Part.VALUE, ""));
            file.commit();
        }
    }

    /** A part of all tensors, their names with a suffix. */
    List<AdapterFile.Tensor> tensors(TrainerHandle.Part part, String suffix) {
        var all = new ArrayList<AdapterFile.Tensor>();
        for (int i = 0; i < trainer.tensors().size(); i++) {
            TrainerHandle.Tensor t = trainer.tensors().get(i);
            all.add(new AdapterFile.Tensor(t.name() + suffix, t.ne0(), t.ne1(), trainer.read(i, part)));
        }
        return all;
    }

    /** Puts back what {@link #tensors} gave, in the same order. */
    void restore(TrainerHandle.Part part, List<float[]> values) {
        for (int i = 0; i < values.size(); i++) {
            trainer.write(i, part, values.get(i));
        }
    }

    List<TrainerHandle.Tensor> table() {
        return trainer.tensors();
    }

    void steps(long n) {
        trainer.setSteps(n);
    }

    @Override
    public void close() {
        trainer.close();
        adapter.close();
    }

    /** Deletes a file that only this process used; a failure is not worth losing a result for. */
    static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            System.getLogger(LoraTrainer.class.getName()).log(System.Logger.Level.WARNING, "could not delete " + file, e);
        }
    }
}
