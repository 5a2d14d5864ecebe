package ai.luciferai.llama;

import java.util.Iterator;

/**
 * A text that is being generated, pulled token by token.
 *
 * <p><i>Ownership</i>: of whoever called {@link Session#generate}; closing it early ends it with {@link StopReason#CANCELLED}, and the
 * session keeps what was computed. <i>Threads</i>: one at a time.
 */
public final class Generation implements Iterator<Token>, Iterable<Token>, AutoCloseable {

    Generation() {}

    /** Whether there is another token; computes it if need be. */
    @Override
    public boolean hasNext() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Token next() {
        throw new UnsupportedOperationException();
    }

    /** This generation itself: it can be gone through once. */
    @Override
    public Iterator<Token> iterator() {
        return this;
    }

    /** The whole, once there is no further token; before that, an {@link IllegalStateException}. */
    public Completion completion() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
