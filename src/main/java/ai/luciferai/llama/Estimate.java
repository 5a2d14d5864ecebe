package ai.luciferai.llama;

/**
 * A measured number.
 *
 * @param value the number
 * @param error its standard error; NaN where it cannot be told
 */
public record Estimate(double value, double error) {

    /** Mean of numbers of which sum and sum of squares are known; with few of them the error is given as 0, as upstream does. */
    static Estimate mean(double sum, double squares, long count) {
        if (count < 1) {
            return new Estimate(0, 0);
        }
        double mean = sum / count;
        double variance = squares / count - mean * mean;
        return new Estimate(mean, variance > 0 && count > 10 ? Math.sqrt(variance / (count - 1)) : 0);
    }
}
