package ai.luciferai.llama;

import ai.luciferai.llama.ffi.AdapterHandle;
import java.nio.file.Path;

/**
 * A loaded LoRA adapter, for use in sessions of its model: {@link Session#adapters(java.util.List)}.
 *
 * <p><i>Ownership</i>: of whoever called {@link Model#loadAdapter}; closed with the model at the latest. While a session uses it,
 * closing it is refused with {@link ai.luciferai.llama.core.BusyException}.
 */
public final class Adapter implements AutoCloseable {

    private final Model model;
    private final AdapterHandle handle;

    Adapter(Model model, AdapterHandle handle) {
        this.model = model;
        this.handle = handle;
    }

    /** Its file. */
    public Path path() {
        return handle.path();
    }

    /** The model it was loaded for. */
    public Model model() {
        return model;
    }

    AdapterHandle handle() {
        return handle;
    }

    @Override
    public void close() {
        handle.close();
    }
}
