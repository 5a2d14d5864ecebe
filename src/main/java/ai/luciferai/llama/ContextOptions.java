package ai.luciferai.llama;

/**
 * The working memory of a session, and how it is computed.
 *
 * @param contextSize tokens that one sequence can hold: a number, {@link #MODEL_SIZE} or {@link #AUTO_SIZE}
 * @param batchSize   most tokens in one decode call; longer prompts go in chunks
 * @param ubatchSize  most tokens computed at once
 * @param sequences   texts that {@link Model#generateAll} decodes side by side; a session uses one
 * @param threads     how many threads compute
 * @param flashAttention whether attention avoids the score matrix
 * @param cache       the KV cache
 * @param rope        position encoding
 */
public record ContextOptions(int contextSize, int batchSize, int ubatchSize, int sequences, Threads threads,
        FlashAttention flashAttention, KvCache cache, Rope rope) {

    /** The size the model was trained with. */
    public static final int MODEL_SIZE = 0;

    /** The size the model was trained with, but at most {@value #AUTO_MOST}: long-context models would ask for gigabytes. */
    public static final int AUTO_SIZE = -1;

    static final int AUTO_MOST = 4096;

    public ContextOptions {
        Check.require(contextSize >= AUTO_SIZE, "context-size", "a number of tokens, or 0 for the model's own", contextSize);
        Check.atLeast("batch-size", batchSize, 1);
        Check.atLeast("ubatch-size", ubatchSize, 1);
        Check.atLeast("sequences", sequences, 1);
        Check.present("threads", threads);
        Check.present("flash-attention", flashAttention);
        Check.present("cache", cache);
        Check.present("rope", rope);
        Check.require(!cache.typeV().isQuantized() || flashAttention != FlashAttention.OFF, "cache-type-v",
                "F32, F16 or BF16 while flash attention is off", cache.typeV());
    }

    public static ContextOptions defaults() {
        return new ContextOptions(AUTO_SIZE, 2048, 512, 4, Threads.defaults(), FlashAttention.AUTO, KvCache.defaults(),
                Rope.defaults());
    }

    public ContextOptions withContextSize(int v) {
        return new ContextOptions(v, batchSize, ubatchSize, sequences, threads, flashAttention, cache, rope);
    }

    public ContextOptions withBatchSize(int v) {
        return new ContextOptions(contextSize, v, ubatchSize, sequences, threads, flashAttention, cache, rope);
    }

    public ContextOptions withUbatchSize(int v) {
        return new ContextOptions(contextSize, batchSize, v, sequences, threads, flashAttention, cache, rope);
    }

    public ContextOptions withSequences(int v) {
        return new ContextOptions(contextSize, batchSize, ubatchSize, v, threads, flashAttention, cache, rope);
    }

    public ContextOptions withThreads(Threads v) {
        return new ContextOptions(contextSize, batchSize, ubatchSize, sequences, v, flashAttention, cache, rope);
    }

    public ContextOptions withThreads(int v) {
        return withThreads(Threads.of(v));
    }

    public ContextOptions withFlashAttention(FlashAttention v) {
        return new ContextOptions(contextSize, batchSize, ubatchSize, sequences, threads, v, cache, rope);
    }

    public ContextOptions withCache(KvCache v) {
        return new ContextOptions(contextSize, batchSize, ubatchSize, sequences, threads, flashAttention, v, rope);
    }

    public ContextOptions withRope(Rope v) {
        return new ContextOptions(contextSize, batchSize, ubatchSize, sequences, threads, flashAttention, cache, v);
    }
}
