package ai.luciferai.llama;

import java.util.Arrays;

/** A growing list of token ids. */
final class TokenList {

    private int[] ids = new int[256];
    private int size;

    int size() {
        return size;
    }

    int get(int index) {
        return ids[index];
    }

    void add(int id) {
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, size * 2);
        }
        ids[size++] = id;
    }

    void addAll(int[] more, int from, int to) {
        for (int i = from; i < to; i++) {
            add(more[i]);
        }
    }

    void truncate(int newSize) {
        size = Math.min(size, newSize);
    }

    int[] toArray() {
        return Arrays.copyOf(ids, size);
    }

    /** How many tokens both start with. */
    int commonPrefix(int[] other) {
        int mismatch = Arrays.mismatch(ids, 0, size, other, 0, other.length);
        return mismatch < 0 ? size : mismatch;
    }
}
