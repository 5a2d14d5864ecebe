package ai.luciferai.llama;

import java.util.List;

/**
 * Turns texts into vectors.
 *
 * <p><i>Ownership</i>: of whoever called {@link Model#embedder}; closed with the model at the latest. <i>Threads</i>: one at a time.
 */
public final class Embedder implements AutoCloseable {

    Embedder() {}

    /** Length of a vector; with {@link Pooling#RANK} the number of scores. */
    public int dimensions() {
        throw new UnsupportedOperationException();
    }

    /** How tokens are pooled, after {@link Pooling#AUTO} was decided. */
    public Pooling pooling() {
        throw new UnsupportedOperationException();
    }

    /** Most tokens that a text may have. */
    public int mostTokens() {
        throw new UnsupportedOperationException();
    }

    /** The vector of one text. */
    public float[] embed(String text) {
        throw new UnsupportedOperationException();
    }

    /** The vectors of several texts, computed together where they fit. */
    public List<float[]> embedAll(List<String> texts) {
        throw new UnsupportedOperationException();
    }

    /** One vector for each token of the text; needs {@link Pooling#NONE}. */
    public List<float[]> embedTokens(String text) {
        throw new UnsupportedOperationException();
    }

    /** Cosine of the angle between two vectors: 1 is the same direction. */
    public static double similarity(float[] a, float[] b) {
        Check.require(a.length == b.length, "vectors", "equal lengths", a.length + " and " + b.length);
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return aa == 0 || bb == 0 ? 0 : dot / Math.sqrt(aa * bb);
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
