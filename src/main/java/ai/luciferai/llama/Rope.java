package ai.luciferai.llama;

/**
 * Position encoding that differs from the model's own, to stretch its context.
 *
 * @param scaling        method; {@link Scaling#MODEL} keeps the file's
 * @param frequencyBase  0: the model's own
 * @param frequencyScale 0: the model's own; 0.5 doubles the context
 * @param yarn           YaRN's parameters
 */
public record Rope(Scaling scaling, float frequencyBase, float frequencyScale, Yarn yarn) {

    /** {@code enum llama_rope_scaling_type}. */
    public enum Scaling {
        MODEL(-1),
        NONE(0),
        LINEAR(1),
        YARN(2),
        LONGROPE(3);

        private final int code;

        Scaling(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }
    }

    /** YaRN's parameters; negative values (0 for the context) keep the model's own. */
    public record Yarn(float extFactor, float attnFactor, float betaFast, float betaSlow, int originalContext) {

        public Yarn {
            Check.finite("yarn-ext-factor", extFactor);
            Check.finite("yarn-attn-factor", attnFactor);
            Check.finite("yarn-beta-fast", betaFast);
            Check.finite("yarn-beta-slow", betaSlow);
            Check.atLeast("yarn-orig-ctx", originalContext, 0);
        }

        public static Yarn defaults() {
            return new Yarn(-1f, -1f, -1f, -1f, 0);
        }
    }

    public Rope {
        Check.present("rope-scaling", scaling);
        Check.atLeast("rope-freq-base", frequencyBase, 0f);
        Check.atLeast("rope-freq-scale", frequencyScale, 0f);
        Check.present("yarn", yarn);
    }

    public static Rope defaults() {
        return new Rope(Scaling.MODEL, 0f, 0f, Yarn.defaults());
    }

    public Rope withScaling(Scaling v) {
        return new Rope(v, frequencyBase, frequencyScale, yarn);
    }

    public Rope withFrequencyBase(float v) {
        return new Rope(scaling, v, frequencyScale, yarn);
    }

    public Rope withFrequencyScale(float v) {
        return new Rope(scaling, frequencyBase, v, yarn);
    }

    public Rope withYarn(Yarn v) {
        return new Rope(scaling, frequencyBase, frequencyScale, v);
    }
}
