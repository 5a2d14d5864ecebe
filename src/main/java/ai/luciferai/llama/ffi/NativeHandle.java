package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.ClosedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;

/**
 * One native object: the only class that makes arenas for native objects and the only one that frees them.
 *
 * <p><i>Ownership</i>: the pointer is re-scoped into an arena of its own, with the C function that frees it as cleanup; closing the
 * handle closes the arena. A handle keeps its parent reachable, and is closed by it if nobody closed it before.
 *
 * <p><i>Threads</i>: one at a time. {@link #claim} notes the thread, and refuses a second one. The arena is shared, so that a close by
 * another thread is an exception there, never freed memory here.
 */
public abstract class NativeHandle implements AutoCloseable {

    private static final VarHandle USER;

    static {
        try {
            USER = MethodHandles.lookup().findVarHandle(NativeHandle.class, "user", Thread.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final String name;
    private final NativeHandle parent;
    private final Arena arena;
    private final MemorySegment pointer;
    private final LeakReport leak;

    /** Guards {@link #children} and closing; taken parent before child. */
    private final Object lock = new Object();
    private final List<NativeHandle> children = new ArrayList<>();

    /** The thread inside a call, null outside. Written through {@link #USER}. */
    private volatile Thread user;
    private volatile String operation = "";
    private volatile boolean closed;

    /**
     * Takes over a native object.
     *
     * @param name   for messages: "context #3 of tiny.gguf"
     * @param parent the handle that must outlive this one, or null
     * @param raw    the object, owned by this handle from here on
     * @param free   the C function that ends it
     */
    NativeHandle(String name, NativeHandle parent, MemorySegment raw, ToIntFunction<MemorySegment> free) {
        this.name = name;
        this.parent = parent;
        this.arena = Arena.ofShared();
        this.pointer = raw.reinterpret(arena, object -> Status.warn(free.applyAsInt(object), "closing " + name));
        this.leak = LeakReport.watch(this, name);
    }

    /** What messages call this object: "context #3 of tiny.gguf". */
    public final String name() {
        return name;
    }

    /** Whether {@link #close} has succeeded. */
    public final boolean isClosed() {
        return closed;
    }

    /** The native object, for reading calls that any number of threads may make at once. */
    final MemorySegment shared() {
        requireOpen();
        return pointer;
    }

    /** The arena of this object, for buffers that live as long as it does. */
    final Arena arena() {
        return arena;
    }

    /**
     * Reserves this object for the calling thread until {@link #release}.
     *
     * @param by what it is reserved for, for the message that another thread gets
     * @throws ClosedException after {@link #close}
     * @throws BusyException   when it is reserved already
     */
    final MemorySegment claim(String by) {
        Thread me = Thread.currentThread();
        Object holder = USER.compareAndExchange(this, (Thread) null, me);
        if (holder != null) {
            requireOpen();
            throw new BusyException(name, operation + " on thread " + ((Thread) holder).getName());
        }
        operation = by;
        if (closed) {
            release();
            throw new ClosedException(name);
        }
        return pointer;
    }

    /** Ends what {@link #claim} began. */
    final void release() {
        user = null;
    }

    /**
     * Makes a child. Runs under this object's lock, so that it cannot be closed meanwhile.
     *
     * @throws ClosedException after {@link #close}
     */
    final <T extends NativeHandle> T adopt(Supplier<T> maker) {
        synchronized (lock) {
            requireOpen();
            T child = maker.get();
            children.add(child);
            return child;
        }
    }

    /** Lets a child count as the newest, because it now depends on younger ones. */
    final void renew(NativeHandle child) {
        synchronized (lock) {
            if (children.remove(child)) {
                children.add(child);
            }
        }
    }

    /** Refuses a close for a reason of the subclass by throwing; does nothing here. */
    void requireClosable() {}

    /**
     * Closes the children, newest first, then this object; a second call does nothing.
     *
     * @throws BusyException when a thread is using this object or one of its children; it then stays open
     */
    @Override
    public final void close() {
        synchronized (lock) {
            if (closed) {
                return;
            }
            claim("close");
            try {
                requireClosable();
                closeChildren();
                closeArena();
                closed = true;
            } finally {
                release();
            }
        }
        leak.closed();
        if (parent != null) {
            parent.forget(this);
        }
        NativeLog.drain();
    }

    private void closeChildren() {
        while (!children.isEmpty()) {
            NativeHandle newest = children.getLast();
            newest.close();
            children.remove(newest);
        }
    }

    private void closeArena() {
        try {
            arena.close();
        } catch (IllegalStateException inUse) {
            throw new BusyException(name, "a native call on another thread");
        }
    }

    private void forget(NativeHandle child) {
        synchronized (lock) {
            children.remove(child);
        }
    }

    void requireOpen() {
        if (closed) {
            throw new ClosedException(name);
        }
    }

    /** A fault of a call made through {@link #shared}, which may be that this object was closed under it. */
    final RuntimeException explained(IllegalStateException fault) {
        return closed || !pointer.scope().isAlive() ? new ClosedException(name) : fault;
    }

    @Override
    public final String toString() {
        return name + (closed ? " (closed)" : "");
    }
}
