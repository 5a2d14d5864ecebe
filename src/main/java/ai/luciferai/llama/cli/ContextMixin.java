package ai.luciferai.llama.cli;

import ai.luciferai.llama.CacheType;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.FlashAttention;
import ai.luciferai.llama.KvCache;
import ai.luciferai.llama.Rope;
import ai.luciferai.llama.Threads;
import ai.luciferai.llama.core.InvalidOptionException;
import java.util.List;
import java.util.Locale;

/** The working memory and how it is computed: {@link ContextOptions}. */
final class ContextMixin {

    private static final List<String> CACHE_TYPES =
            List.of("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1");

    private ContextMixin() {}

    static void declare(Syntax syntax) {
        syntax.group("Context")
                .option("-c --ctx-size --context-size", "N", "tokens it can hold; 0: as many as the model was trained with "
                        + "(default: the same, but at most 4096)");
        options(syntax);
    }

    /** All but the size, for verbs where that means something else. */
    static void computing(Syntax syntax) {
        options(syntax.group("Context"));
    }

    private static void options(Syntax syntax) {
        ContextOptions d = ContextOptions.defaults();
        syntax.option("-t --threads", "N", "threads for single tokens (default: one for each physical core, "
                        + "a single one where GPUs compute all)")
                .option("-tb --threads-batch", "N", "threads for prompts (default: as -t)")
                .option("-b --batch-size", "N", "most tokens in one call", d.batchSize())
                .option("-ub --ubatch-size", "N", "most tokens computed at once", d.ubatchSize())
                .onOffAuto("-fa --flash-attn --flash-attention", "attention without the score matrix in memory", "auto")
                .choice("-ctk --cache-type-k", CACHE_TYPES, "number format of cached keys", "f16")
                .choice("-ctv --cache-type-v", CACHE_TYPES, "number format of cached values; small ones need -fa", "f16")
                .toggle("-kvo --kv-offload", "-nkvo --no-kv-offload", "cache on the devices that hold the layers (default: yes)")
                .flag("--swa-full", "full-size cache for sliding-window layers")
                .choice("--rope-scaling", List.of("none", "linear", "yarn", "longrope"), "stretch the context (default: as the model says)",
                        null)
                .option("--rope-freq-base", "X", "base frequency of positions (default: the model's)")
                .option("--rope-freq-scale", "X", "0.5 doubles the context (default: the model's)")
                .option("--rope-scale", "X", "the same the other way round: 2 doubles it")
                .option("--yarn-orig-ctx", "N", "YaRN: context that the model was trained with (default: the model's)")
                .option("--yarn-ext-factor", "X", "YaRN: share of extrapolation; 0: interpolation only (default: the model's)")
                .option("--yarn-attn-factor", "X", "YaRN: factor on attention (default: the model's)")
                .option("--yarn-beta-slow", "X", "YaRN: where interpolation begins, in turns (default: the model's)")
                .option("--yarn-beta-fast", "X", "YaRN: where it ends (default: the model's)");
    }

    static ContextOptions options(Arguments a) {
        return computing(a).withContextSize(a.integer("-c", ContextOptions.AUTO_SIZE, 0));
    }

    /** What {@link #computing(Syntax)} declares. */
    static ContextOptions computing(Arguments a) {
        ContextOptions d = ContextOptions.defaults();
        return d.withThreads(threads(a))
                .withBatchSize(a.integer("-b", d.batchSize()))
                .withUbatchSize(a.integer("-ub", d.ubatchSize()))
                .withFlashAttention(flashAttention(a))
                .withCache(cache(a))
                .withRope(rope(a));
    }

    /** llama.cpp takes any number below 1 for "choose yourself". */
    static Threads threads(Arguments a) {
        int generation = Math.max(0, a.integer("-t", 0));
        return new Threads(generation, Math.max(0, a.integer("-tb", generation)));
    }

    static FlashAttention flashAttention(Arguments a) {
        return a.onOffAuto("-fa").map(on -> on ? FlashAttention.ON : FlashAttention.OFF).orElse(FlashAttention.AUTO);
    }

    private static KvCache cache(Arguments a) {
        return KvCache.defaults()
                .withTypes(cacheType(a, "-ctk"), cacheType(a, "-ctv"))
                .withOffload(a.on("-kvo", true))
                .withSwaFull(a.has("--swa-full"));
    }

    private static CacheType cacheType(Arguments a, String name) {
        return CacheType.valueOf(a.text(name, "f16").toUpperCase(Locale.ROOT));
    }

    private static Rope rope(Arguments a) {
        return Rope.defaults()
                .withScaling(Rope.Scaling.valueOf(a.text("--rope-scaling", "model").toUpperCase(Locale.ROOT)))
                .withFrequencyBase(a.decimal("--rope-freq-base", 0))
                .withFrequencyScale(frequencyScale(a))
                .withYarn(yarn(a));
    }

    private static float frequencyScale(Arguments a) {
        a.requireOne("--rope-freq-scale", "--rope-scale");
        if (!a.has("--rope-scale")) {
            return a.decimal("--rope-freq-scale", 0);
        }
        float scale = a.decimal("--rope-scale", 1);
        if (scale <= 0) {
            throw new InvalidOptionException("--rope-scale", "a number above 0", scale);
        }
        return 1 / scale;
    }

    private static Rope.Yarn yarn(Arguments a) {
        Rope.Yarn d = Rope.Yarn.defaults();
        return new Rope.Yarn(a.decimal("--yarn-ext-factor", d.extFactor()), a.decimal("--yarn-attn-factor", d.attnFactor()),
                a.decimal("--yarn-beta-fast", d.betaFast()), a.decimal("--yarn-beta-slow", d.betaSlow()),
                a.integer("--yarn-orig-ctx", d.originalContext()));
    }
}
