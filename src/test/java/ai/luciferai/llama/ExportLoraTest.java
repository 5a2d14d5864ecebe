package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The arithmetic of a merge, and its options. */
class ExportLoraTest {

    private static final int N_IN = 7;
    private static final int N_OUT = 5;
    private static final int RANK = 3;

    private final Random random = new Random(11);

    private float[] numbers(int n) {
        float[] numbers = new float[n];
        for (int i = 0; i < n; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    @Test
    void addsTheProductToEveryRow() {
        float[] a = numbers(N_IN * RANK);
        float[] b = numbers(RANK * N_OUT);
        float[] weight = numbers(N_IN * N_OUT);
        LoraDelta delta = new LoraDelta(a, b, RANK, 0.75f);
        for (int out = 0; out < N_OUT; out++) {
            float[] row = java.util.Arrays.copyOfRange(weight, out * N_IN, (out + 1) * N_IN);
            delta.add(out, row, numbers(N_IN));
            for (int in = 0; in < N_IN; in++) {
                double expected = 0;
                for (int k = 0; k < RANK; k++) {
                    expected += (double) b[out * RANK + k] * a[k * N_IN + in];
                }
                // floats against doubles: a few units in the last place of numbers below ten
                assertEquals(weight[out * N_IN + in] + 0.75 * expected, row[in], 4e-6);
            }
        }
    }

    /** Flipped as the token embedding has it: A is [rank, n_vocab], B is [rank, n_embd]. */
    @Test
    void takesALookupTableTheOtherWayRound() {
        float[] a = numbers(RANK * N_OUT);
        float[] b = numbers(RANK * N_IN);
        float[] row = new float[N_IN];
        new LoraDelta(LoraDelta.transposed(b, RANK), a, RANK, 1f).add(2, row, new float[N_IN]);
        for (int in = 0; in < N_IN; in++) {
            double expected = 0;
            for (int k = 0; k < RANK; k++) {
                expected += (double) a[2 * RANK + k] * b[in * RANK + k];
            }
            assertEquals(expected, row[in], 4e-6);
        }
        assertArrayEquals(new float[] {1, 3, 5, 2, 4, 6}, LoraDelta.transposed(new float[] {1, 2, 3, 4, 5, 6}, 2));
    }

    @Test
    void withoutAlphaTheScaleStandsAlone() {
        assertEquals(0.5f, LoraDelta.factor(0.5f, 0f, 8));
        assertEquals(1f, LoraDelta.factor(0.5f, 16f, 8));
    }

    @Test
    void optionsNeedAnAdapter() {
        InvalidOptionException e = assertThrows(InvalidOptionException.class,
                () -> ExportLoraOptions.of(Path.of("a.gguf"), List.of(), Path.of("b.gguf")));
        assertEquals("lora", e.option());
    }
}
