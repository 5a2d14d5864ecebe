package ai.luciferai.llama.core;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * A request to stop, made by any thread and polled by the work: in Java loops by {@link #check}, in native code by reading the
 * same four bytes. Once requested it stays so; a new operation takes a new {@code Cancel}.
 *
 * <p><i>Ownership</i>: nobody closes it. The flag may be set late, by a Ctrl-C handler or another thread, when the work has long
 * ended; were its memory freed with the work, that would be a fault. Hence this is the one place with an automatic arena: four
 * bytes, freed once nothing can reach the flag. The linker keeps a segment alive while it is an <em>argument</em> of a call; whoever
 * stores its address <em>inside</em> native memory keeps this object reachable until the call has returned
 * ({@link java.lang.ref.Reference#reachabilityFence}).
 *
 * <p><i>Threads</i>: any.
 */
public final class Cancel {

    /** Never requested; {@link #request} is refused. */
    public static final Cancel NONE = new Cancel(MemorySegment.NULL);

    private final MemorySegment flag;

    /** The same for Java, which sees a volatile field at once; linking a volatile access to native memory costs a start 5 ms. */
    private volatile boolean requested;

    /** A flag that is not set. */
    public Cancel() {
        this(Arena.ofAuto().allocate(ValueLayout.JAVA_INT));
    }

    private Cancel(MemorySegment flag) {
        this.flag = flag;
    }

    /** Asks the work to stop; it does at its next poll. */
    public void request() {
        if (this == NONE) {
            throw new UnsupportedOperationException("Cancel.NONE is shared by everybody: pass a new Cancel() to be able to stop");
        }
        requested = true;
        flag.set(ValueLayout.JAVA_INT, 0, 1);
        VarHandle.fullFence();
    }

    /** Whether the work has been asked to stop. */
    public boolean requested() {
        return requested;
    }

    /**
     * Ends the work when it has been asked to stop.
     *
     * @param what the work, for the message
     * @throws CancelledException when requested
     */
    public void check(String what) {
        if (requested()) {
            throw new CancelledException(what);
        }
    }

    /** {@link #check(String)} for work without a name. */
    public void check() {
        check("the operation");
    }

    /** The flag as C sees it ({@code int32_t}, non-zero: stop); the null pointer for {@link #NONE}. */
    public MemorySegment segment() {
        return flag;
    }
}
