package ai.luciferai.llama;

/**
 * The optimizer: AdamW with decoupled weight decay (Loshchilov and Hutter 2019), as torch.optim.AdamW computes it.
 *
 * @param weightDecay factor of the decay
 * @param maxGradNorm gradients with a larger L2 norm over all tensors are scaled down to it; 0: never
 */
public record AdamW(float beta1, float beta2, float epsilon, float weightDecay, float maxGradNorm) {

    public AdamW {
        Check.require(beta1 >= 0 && beta1 < 1, "beta1", "at least 0 and below 1", beta1);
        Check.require(beta2 >= 0 && beta2 < 1, "beta2", "at least 0 and below 1", beta2);
        Check.require(epsilon > 0 && Float.isFinite(epsilon), "epsilon", "a number above 0", epsilon);
        Check.atLeast("weight-decay", weightDecay, 0f);
        Check.atLeast("max-grad-norm", maxGradNorm, 0f);
    }

    /** 0.9, 0.999, 1e-8, no decay, norm clipped to 1. */
    public static AdamW defaults() {
        return new AdamW(0.9f, 0.999f, 1e-8f, 0f, 1f);
    }

    public AdamW withWeightDecay(float v) {
        return new AdamW(beta1, beta2, epsilon, v, maxGradNorm);
    }

    public AdamW withMaxGradNorm(float v) {
        return new AdamW(beta1, beta2, epsilon, weightDecay, v);
    }
}
