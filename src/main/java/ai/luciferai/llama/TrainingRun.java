package ai.luciferai.llama;

/**
 * How long and in what steps training goes.
 *
 * @param epochs           passes over the data
 * @param batchSize        samples of one optimizer step, times {@code gradAccumulation}
 * @param gradAccumulation batches whose gradients make one step
 * @param seed             of the adapter's start, the data's order and dropout
 * @param evalEvery        steps between evaluations; 0: after each epoch
 * @param earlyStopping    evaluations without improvement after which training ends with the best adapter; 0: never
 * @param saveEvery        steps between saved states; 0: only when training is stopped
 * @param memory           how much is kept in memory
 * @param threads          0: one for each physical core
 * @param precision        of the arithmetic
 */
public record TrainingRun(int epochs, int batchSize, int gradAccumulation, long seed, int evalEvery, int earlyStopping, int saveEvery,
        Memory memory, int threads, Precision precision) {

    /** What is kept of the forward pass. */
    public enum Memory {
        /** {@link #WHOLE} where it is estimated to fit into half of the free memory, else {@link #LAYER}. */
        AUTO,
        /** All activations. */
        WHOLE,
        /** Each layer's output; the rest is computed again: slower, far less memory. */
        LAYER
    }

    /** How the gradients of frozen weights are computed; the adapter's own numbers are always F32. */
    public enum Precision {
        /** On the CPU {@link #F32}; on a GPU forward as llama.cpp computes, backward by products of 16 bits that are summed in F32: many times faster. */
        AUTO,
        /** Frozen weights are brought to F32 for each product. */
        F32
    }

    public TrainingRun {
        Check.atLeast("epochs", epochs, 1);
        Check.atLeast("batch-size", batchSize, 1);
        Check.atLeast("grad-accumulation", gradAccumulation, 1);
        Check.atLeast("eval-every", evalEvery, 0);
        Check.atLeast("early-stopping", earlyStopping, 0);
        Check.atLeast("save-every", saveEvery, 0);
        Check.present("memory", memory);
        Threads.requireCount("threads", threads);
        Check.present("precision", precision);
    }

    /** Three epochs in batches of four. */
    public static TrainingRun defaults() {
        return new TrainingRun(3, 4, 1, 42, 0, 0, 0, Memory.AUTO, 0, Precision.AUTO);
    }

    public TrainingRun withEpochs(int v) {
        return new TrainingRun(v, batchSize, gradAccumulation, seed, evalEvery, earlyStopping, saveEvery, memory, threads, precision);
    }

    public TrainingRun withBatchSize(int v) {
        return new TrainingRun(epochs, v, gradAccumulation, seed, evalEvery, earlyStopping, saveEvery, memory, threads, precision);
    }

    public TrainingRun withGradAccumulation(int v) {
        return new TrainingRun(epochs, batchSize, v, seed, evalEvery, earlyStopping, saveEvery, memory, threads, precision);
    }

    public TrainingRun withSeed(long v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, v, evalEvery, earlyStopping, saveEvery, memory, threads, precision);
    }

    public TrainingRun withEvalEvery(int v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, seed, v, earlyStopping, saveEvery, memory, threads, precision);
    }

    public TrainingRun withEarlyStopping(int v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, seed, evalEvery, v, saveEvery, memory, threads, precision);
    }

    public TrainingRun withSaveEvery(int v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, seed, evalEvery, earlyStopping, v, memory, threads, precision);
    }

    public TrainingRun withMemory(Memory v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, seed, evalEvery, earlyStopping, saveEvery, v, threads, precision);
    }

    public TrainingRun withThreads(int v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, seed, evalEvery, earlyStopping, saveEvery, memory, v, precision);
    }

    public TrainingRun withPrecision(Precision v) {
        return new TrainingRun(epochs, batchSize, gradAccumulation, seed, evalEvery, earlyStopping, saveEvery, memory, threads, v);
    }
}
