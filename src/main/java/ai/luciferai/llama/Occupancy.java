package ai.luciferai.llama;

import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.ClosedException;

/**
 * Lets one thread at a time into an object, and nobody after it was closed. The thread inside may enter again; it cannot close.
 */
final class Occupancy {

    private final String name;
    private Thread user;
    private int depth;
    private String operation = "";
    private boolean closed;

    /** @param name what messages call the object */
    Occupancy(String name) {
        this.name = name;
    }

    /**
     * @throws ClosedException after {@link #closeOnce}
     * @throws BusyException   while another thread is inside
     */
    synchronized void enter(String newOperation) {
        requireOpen();
        Thread me = Thread.currentThread();
        if (user != null && user != me) {
            throw busy();
        }
        user = me;
        if (depth++ == 0) {
            operation = newOperation;
        }
    }

    /** Like {@link #enter}, and the calling thread must not be inside already. */
    synchronized void enterAlone(String newOperation) {
        requireOpen();
        if (user != null) {
            throw busy();
        }
        enter(newOperation);
    }

    synchronized void leave() {
        if (--depth == 0) {
            user = null;
        }
    }

    /** Closes; false when it was closed before. */
    synchronized boolean closeOnce() {
        if (closed) {
            return false;
        }
        if (user != null) {
            throw busy();
        }
        closed = true;
        return true;
    }

    /** Closes; the calling thread has {@link #enterAlone entered alone}. */
    synchronized void closeReserved() {
        closed = true;
    }

    synchronized boolean isClosed() {
        return closed;
    }

    private void requireOpen() {
        if (closed) {
            throw new ClosedException(name);
        }
    }

    private BusyException busy() {
        return new BusyException(name, operation + " on thread " + user.getName());
    }
}
