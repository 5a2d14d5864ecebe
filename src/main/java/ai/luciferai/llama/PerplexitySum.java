package ai.luciferai.llama;

/**
 * Adds up -log p of tokens to a perplexity.
 *
 * <p><i>Source</i>: perplexity() of llama.cpp v0.5.0, tools/perplexity/perplexity.cpp.
 */
final class PerplexitySum {

    private double sum;
    private double squares;
    private long count;

    void add(double nll) {
        sum += nll;
        squares += nll * nll;
        count++;
    }

    /** Tokens so far. */
    long count() {
        return count;
    }

    /** The perplexity so far; NaN before the first token. */
    double value() {
        return count == 0 ? Double.NaN : Math.exp(sum / count);
    }

    Estimate estimate() {
        double mean = sum / count;
        double variance = squares / count - mean * mean;
        double error = variance > 0 ? Math.sqrt(variance / (count - 1)) : Double.NaN;
        return new Estimate(value(), error * value());
    }
}
