package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_batch;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ClosedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The tokens of one {@link ContextHandle#decode}, in native memory that is allocated once: a token costs no allocation.
 *
 * <p><i>Ownership</i>: belongs to its context. <i>Threads</i>: the one that uses the context.
 */
public final class Batch {

    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment sequences;
    private final MemorySegment outputs;
    /** Points to the four. */
    private final MemorySegment struct;

    private final ContextHandle context;
    private final int capacity;
    private int size;

    Batch(ContextHandle context, int capacity) {
        this.context = context;
        this.capacity = capacity;
        this.tokens = context.arena().allocate(ValueLayout.JAVA_INT, capacity);
        this.positions = context.arena().allocate(ValueLayout.JAVA_INT, capacity);
        this.sequences = context.arena().allocate(ValueLayout.JAVA_INT, capacity);
        this.outputs = context.arena().allocate(ValueLayout.JAVA_BYTE, capacity);
        this.struct = lucifer_batch.allocate(context.arena());
        lucifer_batch.struct_size(struct, lucifer_batch.sizeof());
        lucifer_batch.tokens(struct, tokens);
        lucifer_batch.pos(struct, positions);
        lucifer_batch.seq_ids(struct, sequences);
        lucifer_batch.outputs(struct, outputs);
    }

    /** As C reads it, until this or the flag changes. */
    MemorySegment toNative(Cancel cancel) {
        lucifer_batch.n_tokens(struct, size);
        lucifer_batch.cancel(struct, cancel.segment());
        return struct;
    }

    /** Most tokens that fit: the context's {@code nBatch}. */
    public int capacity() {
        return capacity;
    }

    /** Tokens added since {@link #clear}. */
    public int size() {
        return size;
    }

    /** Empties the batch. */
    public Batch clear() {
        size = 0;
        return this;
    }

    /**
     * Adds a token.
     *
     * @param position in its sequence
     * @param output   whether its logits or embedding will be asked for
     * @return its index, by which they are asked for
     * @throws IllegalStateException when the batch is full
     */
    public int add(int token, int position, int sequence, boolean output) {
        if (size == capacity) {
            throw new IllegalStateException("the batch holds " + capacity + " tokens and is full: decode and clear it first");
        }
        try {
            tokens.setAtIndex(ValueLayout.JAVA_INT, size, token);
            positions.setAtIndex(ValueLayout.JAVA_INT, size, position);
            sequences.setAtIndex(ValueLayout.JAVA_INT, size, sequence);
            outputs.set(ValueLayout.JAVA_BYTE, size, (byte) (output ? 1 : 0));
        } catch (IllegalStateException closed) {
            throw new ClosedException(context.name());
        }
        return size++;
    }
}
