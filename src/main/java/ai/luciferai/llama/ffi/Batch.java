package ai.luciferai.llama.ffi;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import ai.luciferai.llama.bindings.lucifer_batch;
import ai.luciferai.llama.core.Cancel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The tokens of one {@link ContextHandle#decode}. They are gathered in arrays and copied at once to native memory that is allocated once: a
 * token costs neither an allocation nor a call into native memory.
 *
 * <p><i>Ownership</i>: belongs to its context. <i>Threads</i>: the one that uses the context.
 */
public final class Batch {

    private final int[] tokens;
    private final int[] positions;
    private final int[] sequences;
    private final byte[] outputs;
    /** Points to room for the four. */
    private final MemorySegment struct;
    private final MemorySegment nativeTokens;
    private final MemorySegment nativePositions;
    private final MemorySegment nativeSequences;
    private final MemorySegment nativeOutputs;

    private final ContextHandle context;
    private final int capacity;
    private int size;

    Batch(ContextHandle context, int capacity) {
        Arena arena = context.arena();
        this.context = context;
        this.capacity = capacity;
        this.tokens = new int[capacity];
        this.positions = new int[capacity];
        this.sequences = new int[capacity];
        this.outputs = new byte[capacity];
        this.nativeTokens = arena.allocate(JAVA_INT, capacity);
        this.nativePositions = arena.allocate(JAVA_INT, capacity);
        this.nativeSequences = arena.allocate(JAVA_INT, capacity);
        this.nativeOutputs = arena.allocate(JAVA_BYTE, capacity);
        this.struct = lucifer_batch.allocate(arena);
        lucifer_batch.struct_size(struct, lucifer_batch.sizeof());
        lucifer_batch.tokens(struct, nativeTokens);
        lucifer_batch.pos(struct, nativePositions);
        lucifer_batch.seq_ids(struct, nativeSequences);
        lucifer_batch.outputs(struct, nativeOutputs);
    }

    /** As C reads it, until this or the flag changes. */
    MemorySegment toNative(Cancel cancel) {
        MemorySegment.copy(tokens, 0, nativeTokens, JAVA_INT, 0, size);
        MemorySegment.copy(positions, 0, nativePositions, JAVA_INT, 0, size);
        MemorySegment.copy(sequences, 0, nativeSequences, JAVA_INT, 0, size);
        MemorySegment.copy(outputs, 0, nativeOutputs, JAVA_BYTE, 0, size);
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
        context.requireOpen();
        tokens[size] = token;
        positions[size] = position;
        sequences[size] = sequence;
        outputs[size] = (byte) (output ? 1 : 0);
        return size++;
    }
}
