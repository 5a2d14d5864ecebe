package ai.luciferai.llama;

import ai.luciferai.llama.ffi.Batch;

/** Room for the tokens of one decode call. */
interface DecodeBatch {

    void clear();

    /** How many more tokens fit. */
    int room();

    /** Adds a token at a position of a sequence; its index in the batch. */
    int add(int token, int position, int sequence, boolean output);

    /** The batch of a context. */
    static DecodeBatch of(Batch batch) {
        return new DecodeBatch() {
            @Override
            public void clear() {
                batch.clear();
            }

            @Override
            public int room() {
                return batch.capacity() - batch.size();
            }

            @Override
            public int add(int token, int position, int sequence, boolean output) {
                return batch.add(token, position, sequence, output);
            }
        };
    }
}
