package ai.luciferai.llama;

import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How far a model's predictions are from another's on the same text.
 *
 * @param tokens           predictions that were compared
 * @param perplexity       of the model
 * @param basePerplexity   of the other
 * @param correlation      between the logs of the two, 0 to 1
 * @param logRatio         log of the ratio of the two
 * @param ratio            of the model's to the other's
 * @param difference       of the model's less the other's
 * @param kld              Kullback-Leibler divergence from the other model, in nats: 0 for equal predictions
 * @param kldQuantiles     the same at shares of the tokens: 0 the least, 0.5 the median, 1 the largest
 * @param deltaP           probability of the text's token less what the other model gave it
 * @param deltaPQuantiles  the same at shares of the tokens
 * @param rmsDeltaP        root of the mean square of deltaP
 * @param sameTop          share of predictions where both find the same token most probable
 */
public record Divergence(long tokens, Estimate perplexity, Estimate basePerplexity, double correlation, Estimate logRatio, Estimate ratio,
        Estimate difference, Estimate kld, SortedMap<Double, Double> kldQuantiles, Estimate deltaP,
        SortedMap<Double, Double> deltaPQuantiles, Estimate rmsDeltaP, Estimate sameTop) {

    public Divergence {
        kldQuantiles = new TreeMap<>(kldQuantiles);
        deltaPQuantiles = new TreeMap<>(deltaPQuantiles);
    }
}
