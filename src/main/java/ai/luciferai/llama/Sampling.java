package ai.luciferai.llama;

import java.util.List;
import java.util.Map;

/**
 * How the next token is chosen; the stages run in llama.cpp's order.
 *
 * @param seed        start of the random numbers, 0 to 2^32 - 2; {@link #RANDOM_SEED}: drawn, and told in the completion
 * @param temperature 0 or less: always the most probable token
 * @param truncation  which tokens are candidates at all
 * @param dynamic     temperature that follows the entropy
 * @param xtc         now and then leaves out the most probable candidates
 * @param penalties   against repetition of single tokens
 * @param dry         against repetition of sequences
 * @param mirostat    replaces truncation by a target entropy
 * @param order       names of the samplers to run, in order, as llama.cpp calls them; empty: the model's own, else llama.cpp's
 * @param logitBias   added to the logits of single tokens; negative infinity forbids one
 */
public record Sampling(long seed, float temperature, Truncation truncation, DynamicTemperature dynamic, Xtc xtc,
        Penalties penalties, Dry dry, Mirostat mirostat, List<String> order, Map<Integer, Float> logitBias) {

    /** Draws a seed. */
    public static final long RANDOM_SEED = 0xFFFFFFFFL;

    /**
     * The candidates.
     *
     * @param topK      this many most probable; 0: all
     * @param topP      the most probable that together reach this probability; 1: all
     * @param minP      those with at least this share of the best one's probability; 0: all
     * @param typicalP  locally typical sampling; 1: off
     * @param topNSigma those within so many standard deviations of the best logit; negative: all
     */
    public record Truncation(int topK, float topP, float minP, float typicalP, float topNSigma) {

        public Truncation {
            Check.atLeast("top-k", topK, 0);
            Check.between("top-p", topP, 0f, 1f);
            Check.between("min-p", minP, 0f, 1f);
            Check.between("typical-p", typicalP, 0f, 1f);
            Check.finite("top-n-sigma", topNSigma);
        }

        public static Truncation defaults() {
            return new Truncation(40, 0.95f, 0.05f, 1f, -1f);
        }
    }

    /** Temperature between {@code temperature - range} and {@code temperature + range}; range 0: off. */
    public record DynamicTemperature(float range, float exponent) {

        public DynamicTemperature {
            Check.atLeast("dynatemp-range", range, 0f);
            Check.finite("dynatemp-exponent", exponent);
        }

        public static DynamicTemperature off() {
            return new DynamicTemperature(0f, 1f);
        }
    }

    /** Exclude top choices: with this probability, those above the threshold but the least of them; probability 0: off. */
    public record Xtc(float probability, float threshold) {

        public Xtc {
            Check.between("xtc-probability", probability, 0f, 1f);
            Check.between("xtc-threshold", threshold, 0f, 1f);
        }

        public static Xtc off() {
            return new Xtc(0f, 0.1f);
        }
    }

    /**
     * Penalties on tokens that are among the last ones.
     *
     * @param lastN     how many last tokens count; 0: none; -1: the whole context
     * @param repeat    divides positive logits, multiplies negative ones; 1: off
     * @param frequency subtracted for each appearance; 0: off
     * @param presence  subtracted once; 0: off
     */
    public record Penalties(int lastN, float repeat, float frequency, float presence) {

        public Penalties {
            Check.atLeast("repeat-last-n", lastN, -1);
            Check.require(repeat > 0 && Float.isFinite(repeat), "repeat-penalty", "a number above 0", repeat);
            Check.finite("frequency-penalty", frequency);
            Check.finite("presence-penalty", presence);
        }

        public static Penalties off() {
            return new Penalties(64, 1f, 0f, 0f);
        }
    }

    /**
     * Don't repeat yourself: penalises {@code multiplier * base ^ (length - allowedLength)}.
     *
     * @param multiplier 0: off
     * @param lastN      tokens that are looked through; -1: the whole context
     * @param base       below 1 llama.cpp would penalise nothing
     * @param breakers   texts at which a repetition starts anew; empty: llama.cpp's own; "none": none of those before it
     */
    public record Dry(float multiplier, float base, int allowedLength, int lastN, List<String> breakers) {

        public Dry {
            Check.atLeast("dry-multiplier", multiplier, 0f);
            Check.atLeast("dry-base", base, 1f);
            Check.atLeast("dry-allowed-length", allowedLength, 0);
            Check.atLeast("dry-penalty-last-n", lastN, -1);
            breakers = List.copyOf(breakers);
        }

        public static Dry off() {
            return new Dry(0f, 1.75f, 2, 64, List.of());
        }
    }

    /** Mirostat: version 0 (off), 1 or 2; tau is the target entropy, eta the learning rate. */
    public record Mirostat(int version, float tau, float eta) {

        public Mirostat {
            Check.require(version >= 0 && version <= 2, "mirostat", "0, 1 or 2", version);
            Check.finite("mirostat-tau", tau);
            Check.finite("mirostat-eta", eta);
        }

        public static Mirostat off() {
            return new Mirostat(0, 5f, 0.1f);
        }
    }

    public Sampling {
        Check.require(seed >= 0 && seed <= RANDOM_SEED, "seed", "0 to 4294967295", seed);
        Check.finite("temperature", temperature);
        Check.present("truncation", truncation);
        Check.present("dynamic", dynamic);
        Check.present("xtc", xtc);
        Check.present("penalties", penalties);
        Check.present("dry", dry);
        Check.present("mirostat", mirostat);
        order = List.copyOf(order);
        order.forEach(name -> Check.notEmpty("samplers", name));
        logitBias = Map.copyOf(logitBias);
        logitBias.forEach((id, bias) -> {
            Check.atLeast("logit-bias token", id, 0);
            Check.require(!Float.isNaN(bias), "logit-bias", "a number", bias);
        });
    }

    /** llama.cpp's defaults; {@link Model#defaultSampling()} has those that the model itself brings. */
    public static Sampling defaults() {
        return new Sampling(RANDOM_SEED, 0.8f, Truncation.defaults(), DynamicTemperature.off(), Xtc.off(), Penalties.off(),
                Dry.off(), Mirostat.off(), List.of(), Map.of());
    }

    /** Always the most probable token. */
    public static Sampling greedy() {
        return defaults().withTemperature(0f);
    }

    public boolean isGreedy() {
        return temperature <= 0f;
    }

    public Sampling withSeed(long v) {
        return new Sampling(v, temperature, truncation, dynamic, xtc, penalties, dry, mirostat, order, logitBias);
    }

    public Sampling withTemperature(float v) {
        return new Sampling(seed, v, truncation, dynamic, xtc, penalties, dry, mirostat, order, logitBias);
    }

    public Sampling withTruncation(Truncation v) {
        return new Sampling(seed, temperature, v, dynamic, xtc, penalties, dry, mirostat, order, logitBias);
    }

    public Sampling withTopK(int v) {
        Truncation t = truncation;
        return withTruncation(new Truncation(v, t.topP, t.minP, t.typicalP, t.topNSigma));
    }

    public Sampling withTopP(float v) {
        Truncation t = truncation;
        return withTruncation(new Truncation(t.topK, v, t.minP, t.typicalP, t.topNSigma));
    }

    public Sampling withMinP(float v) {
        Truncation t = truncation;
        return withTruncation(new Truncation(t.topK, t.topP, v, t.typicalP, t.topNSigma));
    }

    public Sampling withTypicalP(float v) {
        Truncation t = truncation;
        return withTruncation(new Truncation(t.topK, t.topP, t.minP, v, t.topNSigma));
    }

    public Sampling withTopNSigma(float v) {
        Truncation t = truncation;
        return withTruncation(new Truncation(t.topK, t.topP, t.minP, t.typicalP, v));
    }

    public Sampling withDynamic(DynamicTemperature v) {
        return new Sampling(seed, temperature, truncation, v, xtc, penalties, dry, mirostat, order, logitBias);
    }

    public Sampling withXtc(Xtc v) {
        return new Sampling(seed, temperature, truncation, dynamic, v, penalties, dry, mirostat, order, logitBias);
    }

    public Sampling withPenalties(Penalties v) {
        return new Sampling(seed, temperature, truncation, dynamic, xtc, v, dry, mirostat, order, logitBias);
    }

    public Sampling withRepeatPenalty(float v) {
        Penalties p = penalties;
        return withPenalties(new Penalties(p.lastN, v, p.frequency, p.presence));
    }

    public Sampling withRepeatLastN(int v) {
        Penalties p = penalties;
        return withPenalties(new Penalties(v, p.repeat, p.frequency, p.presence));
    }

    public Sampling withFrequencyPenalty(float v) {
        Penalties p = penalties;
        return withPenalties(new Penalties(p.lastN, p.repeat, v, p.presence));
    }

    public Sampling withPresencePenalty(float v) {
        Penalties p = penalties;
        return withPenalties(new Penalties(p.lastN, p.repeat, p.frequency, v));
    }

    public Sampling withDry(Dry v) {
        return new Sampling(seed, temperature, truncation, dynamic, xtc, penalties, v, mirostat, order, logitBias);
    }

    public Sampling withMirostat(Mirostat v) {
        return new Sampling(seed, temperature, truncation, dynamic, xtc, penalties, dry, v, order, logitBias);
    }

    public Sampling withOrder(List<String> v) {
        return new Sampling(seed, temperature, truncation, dynamic, xtc, penalties, dry, mirostat, v, logitBias);
    }

    public Sampling withLogitBias(Map<Integer, Float> v) {
        return new Sampling(seed, temperature, truncation, dynamic, xtc, penalties, dry, mirostat, order, v);
    }
}
