package ai.luciferai.llama;

/** Tokens for one decode call: what each is, where it stands in which sequence, and whether its logits are wanted. */
final class DecodeBatch {

    final int[] tokens;
    final int[] positions;
    final int[] sequences;
    final byte[] outputs;
    private int size;

    DecodeBatch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        sequences = new int[capacity];
        outputs = new byte[capacity];
    }

    int size() {
        return size;
    }

    int room() {
        return tokens.length - size;
    }

    void clear() {
        size = 0;
    }

    /** Adds a token; its index. */
    int add(int token, int position, int sequence, boolean output) {
        tokens[size] = token;
        positions[size] = position;
        sequences[size] = sequence;
        outputs[size] = (byte) (output ? 1 : 0);
        return size++;
    }
}
