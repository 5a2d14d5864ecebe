package ai.luciferai.llama;

import java.util.List;

/**
 * How one text is generated.
 *
 * @param maxTokens     most tokens to generate; {@link #UNLIMITED}: until the model ends or the context is full
 * @param stops         texts that end the generation and are left out of it
 * @param sampling      how tokens are chosen
 * @param grammar       a form that the text must keep
 * @param logprobs      alternatives to report for each token; {@link #NO_LOGPROBS}: not even its own log-probability
 * @param ignoreEos     whether end-of-generation tokens are never chosen
 * @param renderSpecial whether control tokens show as text
 * @param reusePrefix   whether a prompt that starts as the session's tokens do is not computed again
 */
public record GenerateOptions(int maxTokens, List<String> stops, Sampling sampling, Grammar grammar, int logprobs,
        boolean ignoreEos, boolean renderSpecial, boolean reusePrefix) {

    /** No limit but the context. */
    public static final int UNLIMITED = -1;

    /** No log-probabilities. */
    public static final int NO_LOGPROBS = -1;

    public GenerateOptions {
        Check.atLeast("max-tokens", maxTokens, UNLIMITED);
        stops = List.copyOf(stops);
        stops.forEach(s -> Check.notEmpty("stop", s));
        Check.present("sampling", sampling);
        Check.present("grammar", grammar);
        Check.atLeast("logprobs", logprobs, NO_LOGPROBS);
    }

    public static GenerateOptions defaults() {
        return new GenerateOptions(UNLIMITED, List.of(), Sampling.defaults(), Grammar.none(), NO_LOGPROBS, false, false, true);
    }

    public GenerateOptions withMaxTokens(int v) {
        return new GenerateOptions(v, stops, sampling, grammar, logprobs, ignoreEos, renderSpecial, reusePrefix);
    }

    public GenerateOptions withStops(List<String> v) {
        return new GenerateOptions(maxTokens, v, sampling, grammar, logprobs, ignoreEos, renderSpecial, reusePrefix);
    }

    public GenerateOptions withSampling(Sampling v) {
        return new GenerateOptions(maxTokens, stops, v, grammar, logprobs, ignoreEos, renderSpecial, reusePrefix);
    }

    public GenerateOptions withGrammar(Grammar v) {
        return new GenerateOptions(maxTokens, stops, sampling, v, logprobs, ignoreEos, renderSpecial, reusePrefix);
    }

    public GenerateOptions withJsonSchema(String v) {
        return withGrammar(Grammar.jsonSchema(v));
    }

    public GenerateOptions withLogprobs(int v) {
        return new GenerateOptions(maxTokens, stops, sampling, grammar, v, ignoreEos, renderSpecial, reusePrefix);
    }

    public GenerateOptions withIgnoreEos(boolean v) {
        return new GenerateOptions(maxTokens, stops, sampling, grammar, logprobs, v, renderSpecial, reusePrefix);
    }

    public GenerateOptions withRenderSpecial(boolean v) {
        return new GenerateOptions(maxTokens, stops, sampling, grammar, logprobs, ignoreEos, v, reusePrefix);
    }

    public GenerateOptions withReusePrefix(boolean v) {
        return new GenerateOptions(maxTokens, stops, sampling, grammar, logprobs, ignoreEos, renderSpecial, v);
    }

    /** Whether {@link Token#logprob()} is filled in. */
    public boolean wantsLogprobs() {
        return logprobs != NO_LOGPROBS;
    }
}
