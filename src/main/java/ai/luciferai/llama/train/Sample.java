package ai.luciferai.llama.train;

import java.util.Arrays;

/**
 * One sample as tokens.
 *
 * @param tokens     what the model sees
 * @param supervised for each token, whether the model is to learn to write it; never the first, which nothing predicts
 */
public record Sample(int[] tokens, boolean[] supervised) {

    public Sample {
        if (tokens.length != supervised.length) {
            throw new IllegalArgumentException(tokens.length + " tokens, " + supervised.length + " marks");
        }
        if (supervised.length > 0) {
            supervised[0] = false;
        }
    }

    public int length() {
        return tokens.length;
    }

    /** Number of tokens to learn. */
    public int supervisedCount() {
        int count = 0;
        for (boolean s : supervised) {
            count += s ? 1 : 0;
        }
        return count;
    }

    /** The last {@code n} tokens behind the first (which often is the begin-of-text token). */
    public Sample truncatedTo(int n) {
        if (length() <= n) {
            return this;
        }
        int cut = length() - n;
        int[] kept = new int[n];
        boolean[] marks = new boolean[n];
        kept[0] = tokens[0];
        System.arraycopy(tokens, cut + 1, kept, 1, n - 1);
        System.arraycopy(supervised, cut + 1, marks, 1, n - 1);
        return new Sample(kept, marks);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Sample s && Arrays.equals(tokens, s.tokens) && Arrays.equals(supervised, s.supervised);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(tokens);
    }
}
