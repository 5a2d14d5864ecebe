package ai.luciferai.llama.train;

import java.util.ArrayList;
import java.util.List;

/**
 * Samples laid end to end in one micro-batch; each sees only itself.
 *
 * @param samples in order
 */
public record Pack(List<Sample> samples) {

    public Pack {
        samples = List.copyOf(samples);
    }

    /** Rows that it needs: the last token of a sample predicts nothing, so it needs none. */
    public int rows() {
        return samples.stream().mapToInt(Pack::rows).sum();
    }

    /** Tokens to learn. */
    public int supervisedCount() {
        return samples.stream().mapToInt(Sample::supervisedCount).sum();
    }

    static int rows(Sample sample) {
        return sample.length() - 1;
    }

    /**
     * Packs samples first-fit: each goes into the first pack with room for it.
     *
     * @param capacity most rows of a pack; no sample may need more
     * @param together whether samples share packs at all
     */
    public static List<Pack> firstFit(List<Sample> samples, int capacity, boolean together) {
        var open = new ArrayList<List<Sample>>();
        var room = new ArrayList<Integer>();
        for (Sample sample : samples) {
            int need = rows(sample);
            int at = 0;
            while (together && at < open.size() && room.get(at) < need) {
                at++;
            }
            if (!together || at == open.size()) {
                at = open.size();
                open.add(new ArrayList<>());
                room.add(capacity);
            }
            open.get(at).add(sample);
            room.set(at, room.get(at) - need);
        }
        return open.stream().map(Pack::new).toList();
    }

    /**
     * The pack as rows: row i holds a token, and where it is supervised, the next token as label.
     *
     * @param outputs rows with a label, ascending; {@code labels} belong to them
     */
    public record Rows(int[] tokens, int[] positions, int[] sequences, int[] outputs, int[] labels) {}

    public Rows toRows() {
        int n = rows();
        int[] tokens = new int[n];
        int[] positions = new int[n];
        int[] sequences = new int[n];
        int[] outputs = new int[supervisedCount()];
        int[] labels = new int[outputs.length];
        int row = 0;
        int output = 0;
        for (int s = 0; s < samples.size(); s++) {
            Sample sample = samples.get(s);
            for (int i = 0; i + 1 < sample.length(); i++, row++) {
                tokens[row] = sample.tokens()[i];
                positions[row] = i;
                sequences[row] = s;
                if (sample.supervised()[i + 1]) {
                    outputs[output] = row;
                    labels[output++] = sample.tokens()[i + 1];
                }
            }
        }
        return new Rows(tokens, positions, sequences, outputs, labels);
    }
}
