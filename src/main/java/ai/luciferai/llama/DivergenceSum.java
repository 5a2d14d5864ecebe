package ai.luciferai.llama;

import ai.luciferai.llama.ffi.Scorer;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Adds up the differences of predictions. Products are taken in floats where upstream does.
 *
 * <p><i>Source</i>: kl_divergence() of llama.cpp v0.5.0, tools/perplexity/perplexity.cpp.
 */
final class DivergenceSum {

    private static final List<Double> KLD_SHARES = List.of(0.0, 0.001, 0.01, 0.05, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0);
    private static final List<Double> DELTA_P_SHARES = List.of(0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0);

    private double nll;
    private double nll2;
    private double base;
    private double base2;
    private double nllBase;
    private double kld;
    private double kld2;
    private double delta;
    private double delta2;
    private double delta4;
    private long sameTop;
    private int count;
    private float[] klds = new float[1024];
    private float[] deltas = new float[1024];

    void add(Scorer.Divergence d) {
        nll += d.nll();
        nll2 += d.nll() * d.nll();
        base += d.nllBase();
        base2 += d.nllBase() * d.nllBase();
        nllBase += d.nll() * d.nllBase();
        kld += d.kld();
        kld2 += d.kld() * d.kld();
        delta += d.pDiff();
        double square = d.pDiff() * d.pDiff();
        delta2 += square;
        delta4 += square * square;
        sameTop += d.sameTop() ? 1 : 0;
        if (count == klds.length) {
            klds = Arrays.copyOf(klds, Math.multiplyExact(2, count));
            deltas = Arrays.copyOf(deltas, 2 * count);
        }
        klds[count] = (float) d.kld();
        deltas[count++] = d.pDiff();
    }

    /** The perplexity so far. */
    double perplexity() {
        return count == 0 ? Double.NaN : Math.exp(nll / count);
    }

    Divergence divergence() {
        Estimate log = Estimate.mean(nll, nll2, count);
        Estimate logBase = Estimate.mean(base, base2, count);
        Estimate ppl = exp(log);
        Estimate pplBase = exp(logBase);
        double covariance = count < 10 ? 0 : (nllBase / count - nll / count * (base / count)) / (count - 1);
        var logRatio = new Estimate(log.value() - logBase.value(), errorOfDifference(log, logBase, covariance));
        var difference = new Estimate(ppl.value() - pplBase.value(),
                errorOfDifference(ppl, pplBase, ppl.value() * pplBase.value() * covariance));
        return new Divergence(count, ppl, pplBase, covariance / (log.error() * logBase.error()), logRatio, exp(logRatio), difference,
                Estimate.mean(kld, kld2, count), quantiles(klds, KLD_SHARES), Estimate.mean(delta, delta2, count),
                quantiles(deltas, DELTA_P_SHARES), rms(), top());
    }

    private static Estimate exp(Estimate log) {
        double value = Math.exp(log.value());
        return new Estimate(value, value * log.error());
    }

    private static double errorOfDifference(Estimate a, Estimate b, double covariance) {
        return Math.sqrt(a.error() * a.error() + b.error() * b.error() - 2 * covariance);
    }

    private Estimate rms() {
        Estimate square = Estimate.mean(delta2, delta4, count);
        double root = Math.sqrt(square.value());
        return new Estimate(root, root == 0 ? 0 : 0.5 / root * square.error());
    }

    private Estimate top() {
        double share = (double) sameTop / count;
        return new Estimate(share, Math.sqrt(share * (1 - share) / (count - 1)));
    }

    private SortedMap<Double, Double> quantiles(float[] values, List<Double> shares) {
        float[] sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        var quantiles = new TreeMap<Double, Double>();
        shares.forEach(share -> quantiles.put(share, (double) quantile(sorted, (float) (double) share)));
        return quantiles;
    }

    /** Between two values in proportion; the median of an even number is the mean of the two in the middle. */
    static float quantile(float[] sorted, float share) {
        int n = sorted.length;
        if (share == 0.5f) {
            return n % 2 == 0 ? 0.5f * (sorted[n / 2] + sorted[n / 2 - 1]) : sorted[n / 2];
        }
        float at = share * (n - 1);
        int index = Math.min((int) at, n - 1);
        at -= index;
        return (1 - at) * sorted[index] + at * sorted[Math.min(index + 1, n - 1)];
    }
}
