package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.ffi.ContextParams;
import ai.luciferai.llama.ffi.ModelDescription;

/** Turns {@link ContextOptions} into what the native side takes. */
final class ContextSetup {

    private ContextSetup() {}

    /** Tokens of one sequence, once the marks for "automatic" and "the model's own" are decided. */
    static int contextSize(ContextOptions options, ModelDescription model) {
        int own = model.fitNCtx() > 0 ? Math.min(model.fitNCtx(), model.nCtxTrain()) : model.nCtxTrain();
        return switch (options.contextSize()) {
            case ContextOptions.AUTO_SIZE -> own > 0 ? Math.min(own, ContextOptions.AUTO_MOST) : ContextOptions.AUTO_MOST;
            case ContextOptions.MODEL_SIZE -> own;
            default -> {
                remarkBeyondTraining(options.contextSize(), options.rope(), model);
                yield options.contextSize();
            }
        };
    }

    /** A model answers worse and worse behind the positions that it has learnt, unless they are stretched to more. */
    static void remarkBeyondTraining(int size, Rope rope, ModelDescription model) {
        if (model.nCtxTrain() > 0 && size > model.nCtxTrain() && rope.equals(Rope.defaults())) {
            System.getLogger(ContextSetup.class.getName()).log(System.Logger.Level.WARNING, ("the model was trained with %d tokens of context,"
                    + " and may answer nonsense behind them: %d are asked for, without rope scaling").formatted(model.nCtxTrain(), size));
        }
    }

    /**
     * Parameters of a context.
     *
     * @param size      tokens of one sequence
     * @param sequences sequences side by side
     */
    static ContextParams params(ContextOptions options, int size, int sequences) {
        ContextParams p = ContextParams.defaults();
        p.nCtx = total(size, sequences);
        p.nBatch = options.batchSize();
        p.nUbatch = Math.min(options.ubatchSize(), options.batchSize());
        p.nSeqMax = sequences;
        p.flashAttn = options.flashAttention().code();
        p.nThreads = options.threads().generation();
        p.nThreadsBatch = options.threads().prompt();
        cache(p, options.cache());
        rope(p, options.rope());
        return p;
    }

    private static int total(int size, int sequences) {
        long total = (long) size * sequences;
        if (total > Integer.MAX_VALUE) {
            throw new InvalidOptionException("context-size", "at most " + Integer.MAX_VALUE / sequences + " for " + sequences
                    + " sequences", size);
        }
        return (int) total;
    }

    /** One thread for each physical core. */
    static int physicalCores() {
        return ContextParams.defaults().nThreads;
    }

    private static void cache(ContextParams p, KvCache cache) {
        p.typeK = cache.typeK().code();
        p.typeV = cache.typeV().code();
        p.offloadKqv = cache.offload();
        p.swaFull = cache.swaFull();
        p.kvUnified = cache.unified();
    }

    private static void rope(ContextParams p, Rope rope) {
        p.ropeScalingType = rope.scaling().code();
        p.ropeFreqBase = rope.frequencyBase();
        p.ropeFreqScale = rope.frequencyScale();
        p.yarnExtFactor = rope.yarn().extFactor();
        p.yarnAttnFactor = rope.yarn().attnFactor();
        p.yarnBetaFast = rope.yarn().betaFast();
        p.yarnBetaSlow = rope.yarn().betaSlow();
        p.yarnOrigCtx = rope.yarn().originalContext();
    }
}
