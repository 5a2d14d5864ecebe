package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Recipes of reordered elements against plain loops. */
class TensorTest {

    private static Tensor counted(long... shape) {
        float[] values = new float[(int) Tensor.product(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return Tensor.of(values, shape);
    }

    @Test
    void transposesAndSlices() {
        assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, counted(2, 3).transpose().toFloats());
        assertArrayEquals(new float[] {4, 5}, counted(2, 3).slice(0, 1, 2).slice(1, 1, 3).toFloats());
        assertArrayEquals(new float[] {1, 4}, counted(2, 3).transpose().slice(0, 1, 2).toFloats());
        assertArrayEquals(new float[] {1, 3, 5}, counted(6).every(0, 1, 2).toFloats());
    }

    @Test
    void permutesQueryRowsIntoPairs() {
        // two heads of four rows: 0 1 2 3 becomes 0 2 1 3
        assertArrayEquals(new float[] {0, 2, 1, 3, 4, 6, 5, 7}, LlamaArchitecture.permute(counted(8, 1), 2).toFloats());
        assertArrayEquals(new float[] {0, 2, 1, 3}, LlamaArchitecture.permute(counted(4), 1).toFloats());
    }

    @Test
    void separatesFusedHeads() {
        // two heads of [q, k, v] rows: q0 q1 k0 k1 v0 v1
        assertArrayEquals(new float[] {0, 3, 1, 4, 2, 5}, GptFamily.separateHeads(counted(6, 1), 2).toFloats());
    }

    @Test
    void stacksAndJoins() {
        Tensor stacked = Tensor.stack(List.of(counted(2, 2), counted(2, 2).transpose()));
        assertArrayEquals(new long[] {2, 2, 2}, stacked.shape());
        assertArrayEquals(new float[] {0, 1, 2, 3, 0, 2, 1, 3}, stacked.toFloats());
        assertThrows(Tensor.ShapeException.class, () -> Tensor.stack(List.of(counted(2), counted(3))));
    }

    @Test
    void readsAnyRangeOfAnyWalk() {
        var random = new Random(7);
        for (int round = 0; round < 50; round++) {
            long a = 1 + random.nextInt(4);
            long b = 1 + random.nextInt(5);
            long c = 1 + random.nextInt(6);
            Tensor tensor = switch (round % 4) {
                case 0 -> counted(a, b, c).permute(2, 0, 1);
                case 1 -> counted(a, b, c).permute(1, 0, 2).reshape(a * b, c);
                case 2 -> Tensor.concat(List.of(counted(a, b), counted(b, a).transpose()));
                default -> counted(a, b, c).permute(0, 2, 1).slice(1, c / 2, c);
            };
            float[] all = tensor.toFloats();
            int from = all.length == 0 ? 0 : random.nextInt(all.length);
            float[] part = new float[all.length - from];
            new TensorReader(tensor).read(from, part, part.length);
            for (int i = 0; i < part.length; i++) {
                assertEquals(all[from + i], part[i]);
            }
        }
    }
}
