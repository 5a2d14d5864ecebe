package ai.luciferai.llama;

import java.util.List;

/**
 * The adapter that is trained: W x becomes W x + scale * B (A x), with A [n_in, rank] and B [rank, n_out].
 *
 * @param rank    rows of A
 * @param alpha   scale is alpha/rank, or alpha/sqrt(rank) with {@code rslora}
 * @param rslora  rank-stabilised scaling (Kalajdzievski 2023)
 * @param dropout share of A's inputs that is dropped while training
 * @param targets names or patterns with {@code *} of the weights that get an adapter: {@code attn_q}, {@code q_proj},
 *     {@code blk.3.ffn_*}; empty: every linear layer of the blocks but the experts
 */
public record LoraShape(int rank, float alpha, boolean rslora, float dropout, List<String> targets) {

    public LoraShape {
        Check.atLeast("rank", rank, 1);
        Check.require(alpha > 0 && Float.isFinite(alpha), "alpha", "a number above 0", alpha);
        Check.require(dropout >= 0 && dropout < 1, "dropout", "at least 0 and below 1", dropout);
        targets = List.copyOf(targets);
        targets.forEach(target -> Check.notEmpty("target", target));
    }

    /** Rank 16, alpha 32, every linear layer. */
    public static LoraShape defaults() {
        return new LoraShape(16, 32, false, 0, List.of());
    }

    public LoraShape withRank(int v) {
        return new LoraShape(v, alpha, rslora, dropout, targets);
    }

    public LoraShape withAlpha(float v) {
        return new LoraShape(rank, v, rslora, dropout, targets);
    }

    public LoraShape withRslora(boolean v) {
        return new LoraShape(rank, alpha, v, dropout, targets);
    }

    public LoraShape withDropout(float v) {
        return new LoraShape(rank, alpha, rslora, v, targets);
    }

    public LoraShape withTargets(List<String> v) {
        return new LoraShape(rank, alpha, rslora, dropout, v);
    }

    /** The value of {@code adapter.lora.alpha}: llama.cpp divides it by the rank, whatever the scaling. */
    float fileAlpha() {
        return rslora ? (float) (alpha * Math.sqrt(rank)) : alpha;
    }
}
