package ai.luciferai.llama;

import java.nio.file.Path;

/**
 * A loaded LoRA adapter, for use in sessions of its model: {@link Session#adapters(java.util.List)}.
 *
 * <p><i>Ownership</i>: of whoever called {@link Model#loadAdapter}; closed with the model at the latest. While a session uses it,
 * closing it is refused.
 */
public final class Adapter implements AutoCloseable {

    Adapter() {}

    /** Its file. */
    public Path path() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
