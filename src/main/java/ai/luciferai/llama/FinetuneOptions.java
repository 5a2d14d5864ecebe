package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What {@link Finetune} does.
 *
 * @param base        the model, quantized or not
 * @param out         the adapter's file; its report stands beside it as {@code .report.json} and {@code .report.html}, the state of a
 *     stopped training as {@code .state}
 * @param data        what to learn from
 * @param shape       the adapter
 * @param optimizer   how a step is made
 * @param schedule    learning rate of each step
 * @param run         how long
 * @param placement   where the model computes
 * @param dataParallel whether each of the placement's devices, of which there must be two or more, holds the whole model and computes its
 *     part of a step's micro-batches; else they share the model's layers
 * @param initAdapter adapter to start from instead of an empty one
 * @param resume      whether to go on from the state of a stopped training
 * @param force       whether an existing adapter may be replaced
 */
public record FinetuneOptions(Path base, Path out, DataOptions data, LoraShape shape, AdamW optimizer, Schedule schedule, TrainingRun run,
        Placement placement, boolean dataParallel, Optional<Path> initAdapter, boolean resume, boolean force) {

    public FinetuneOptions {
        Check.present("model-base", base);
        Check.present("lora-out", out);
        Check.present("init-adapter", initAdapter);
    }

    public static FinetuneOptions of(Path base, Path trainData, Path out) {
        return new FinetuneOptions(base, out, DataOptions.of(trainData), LoraShape.defaults(), AdamW.defaults(), Schedule.defaults(),
                TrainingRun.defaults(), Placement.defaults(), false, Optional.empty(), false, false);
    }

    public FinetuneOptions withData(DataOptions v) {
        return new FinetuneOptions(base, out, v, shape, optimizer, schedule, run, placement, dataParallel, initAdapter, resume, force);
    }

    public FinetuneOptions withShape(LoraShape v) {
        return new FinetuneOptions(base, out, data, v, optimizer, schedule, run, placement, dataParallel, initAdapter, resume, force);
    }

    public FinetuneOptions withOptimizer(AdamW v) {
        return new FinetuneOptions(base, out, data, shape, v, schedule, run, placement, dataParallel, initAdapter, resume, force);
    }

    public FinetuneOptions withSchedule(Schedule v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, v, run, placement, dataParallel, initAdapter, resume, force);
    }

    public FinetuneOptions withRun(TrainingRun v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, schedule, v, placement, dataParallel, initAdapter, resume, force);
    }

    public FinetuneOptions withPlacement(Placement v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, schedule, run, v, dataParallel, initAdapter, resume, force);
    }

    public FinetuneOptions withDataParallel(boolean v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, schedule, run, placement, v, initAdapter, resume, force);
    }

    public FinetuneOptions withInitAdapter(Path v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, schedule, run, placement, dataParallel, Optional.of(v), resume, force);
    }

    public FinetuneOptions withResume(boolean v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, schedule, run, placement, dataParallel, initAdapter, v, force);
    }

    public FinetuneOptions withForce(boolean v) {
        return new FinetuneOptions(base, out, data, shape, optimizer, schedule, run, placement, dataParallel, initAdapter, resume, v);
    }

    /** File of a stopped training. */
    public Path stateFile() {
        return out.resolveSibling(out.getFileName() + ".state");
    }

    /** File of the report, as "json" or "html". */
    Path reportFile(String form) {
        return out.resolveSibling(out.getFileName() + ".report." + form);
    }

    /** The options that the course of a training depends on, as text: a training is resumed only with the same. */
    String settings() {
        String devices = dataParallel ? " devices=" + TrainingModels.placements(this).size() : ""; // they decide how samples are packed
        return "%s %s %s %s epochs=%d batch=%d accumulation=%d seed=%d evalEvery=%d earlyStopping=%d evalSplit=%s seqLen=%d packing=%s loss=%s"
                .formatted(shape, optimizer, schedule, data.template().isOwn() ? "" : data.template().source(), run.epochs(),
                        run.batchSize(), run.gradAccumulation(), run.seed(), run.evalEvery(), run.earlyStopping(), data.evalSplit(),
                        data.seqLen(), data.packing(), data.loss()) + devices;
    }
}
