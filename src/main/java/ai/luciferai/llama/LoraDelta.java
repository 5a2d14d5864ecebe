package ai.luciferai.llama;

import java.util.Arrays;

/**
 * What one adapter adds to one matrix: {@code factor * B A}, computed row by row, all in floats.
 *
 * <p><i>Threads</i>: any number. <i>Source</i>: run_merge in tools/export-lora/export-lora.cpp of llama.cpp v0.5.0; sums over the rank
 * are in another order than ggml's, so that results may differ in the last bit.
 */
final class LoraDelta {

    private final float[] a;
    private final float[] b;
    private final int rank;
    private final float factor;

    /**
     * @param a      [n_in, rank], innermost first
     * @param b      [rank, n_out], innermost first
     * @param factor on the product
     */
    LoraDelta(float[] a, float[] b, int rank, float factor) {
        this.a = a;
        this.b = b;
        this.rank = rank;
        this.factor = factor;
    }

    /** The factor of an adapter: an alpha of 0 means the scale alone. */
    static float factor(float scale, float alpha, long rank) {
        return alpha == 0 ? scale : scale * alpha / rank;
    }

    /** [columns, rows] as [rows, columns], both innermost first. */
    static float[] transposed(float[] matrix, int columns) {
        int rows = matrix.length / columns;
        float[] result = new float[matrix.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                result[column * rows + row] = matrix[row * columns + column];
            }
        }
        return result;
    }

    /**
     * Adds to a row of the weight.
     *
     * @param out     which row
     * @param row     its n_in elements
     * @param scratch as many, overwritten
     */
    void add(int out, float[] row, float[] scratch) {
        Arrays.fill(scratch, 0f);
        for (int k = 0; k < rank; k++) {
            float weight = b[out * rank + k];
            int start = k * row.length;
            for (int i = 0; i < row.length; i++) {
                scratch[i] += weight * a[start + i];
            }
        }
        for (int i = 0; i < row.length; i++) {
            row[i] += factor * scratch[i];
        }
    }
}
