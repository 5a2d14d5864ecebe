package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.ToIntFunction;

/**
 * What a context made with {@link ContextParams#imatrix} has collected: for each weight the sums of squares of its inputs, and their
 * number.
 *
 * <p><i>Threads</i>: the one that uses the context.
 */
public final class Collector {

    /** Nothing, the weights of all blocks, these and {@code output.weight}: values of {@code enum lucifer_imatrix}. */
    public static final int NONE = LUCIFER_IMATRIX_NONE();
    public static final int BLOCKS = LUCIFER_IMATRIX_BLOCKS();
    public static final int OUTPUT = LUCIFER_IMATRIX_OUTPUT();

    /**
     * One weight.
     *
     * @param sums   of squares, a column each; one matrix after the other
     * @param counts of inputs: one number, or one for each expert
     */
    public record Entry(String name, float[] sums, long[] counts) {}

    private final ContextHandle context;

    public Collector(ContextHandle context) {
        this.context = context;
    }

    /** Number of entries. */
    public int size() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            call("lucifer_imatrix_count", c -> lucifer_imatrix_count(c, count));
            return count.get(ValueLayout.JAVA_INT, 0);
        }
    }

    /** Entry {@code index}; they are ordered by name. */
    public Entry entry(int index) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment sizes = arena.allocate(ValueLayout.JAVA_LONG, 2);
            MemorySegment pointer = context.claim("importance matrix");
            String name;
            try {
                name = NativeText.string("lucifer_imatrix_entry", 128, Status.About.NOTHING, (buffer, capacity, length) ->
                        lucifer_imatrix_entry(pointer, index, buffer, capacity, length, sizes, sizes.asSlice(Long.BYTES)));
            } finally {
                context.release();
            }
            MemorySegment sums = arena.allocate(ValueLayout.JAVA_FLOAT, sizes.getAtIndex(ValueLayout.JAVA_LONG, 0));
            MemorySegment counts = arena.allocate(ValueLayout.JAVA_LONG, sizes.getAtIndex(ValueLayout.JAVA_LONG, 1));
            call("lucifer_imatrix_read", c -> lucifer_imatrix_read(c, index, sums, sums.byteSize() / Float.BYTES, counts,
                    counts.byteSize() / Long.BYTES));
            return new Entry(name, sums.toArray(ValueLayout.JAVA_FLOAT), counts.toArray(ValueLayout.JAVA_LONG));
        }
    }

    /** Sets an entry, to which the context then adds. */
    public void put(Entry entry) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = NativeText.in(arena, "tensor", entry.name());
            MemorySegment sums = arena.allocateFrom(ValueLayout.JAVA_FLOAT, entry.sums());
            MemorySegment counts = arena.allocateFrom(ValueLayout.JAVA_LONG, entry.counts());
            call("lucifer_imatrix_put", c -> lucifer_imatrix_put(c, name, sums, entry.sums().length, counts, entry.counts().length));
        }
    }

    private void call(String function, ToIntFunction<MemorySegment> body) {
        MemorySegment pointer = context.claim("importance matrix");
        try {
            Status.check(body.applyAsInt(pointer), function);
        } finally {
            context.release();
        }
    }
}
