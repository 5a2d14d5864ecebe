package ai.luciferai.llama;

/** A decode batch in plain Java. */
final class RecordedBatch implements DecodeBatch {

    final int[] tokens;
    final int[] positions;
    final int[] sequences;
    final boolean[] outputs;
    private int size;

    RecordedBatch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        sequences = new int[capacity];
        outputs = new boolean[capacity];
    }

    int size() {
        return size;
    }

    @Override
    public void clear() {
        size = 0;
    }

    @Override
    public int room() {
        return tokens.length - size;
    }

    @Override
    public int add(int token, int position, int sequence, boolean output) {
        tokens[size] = token;
        positions[size] = position;
        sequences[size] = sequence;
        outputs[size] = output;
        return size++;
    }
}
