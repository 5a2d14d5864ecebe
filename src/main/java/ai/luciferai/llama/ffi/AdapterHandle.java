package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.core.BusyException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A LoRA adapter, loaded for one model; {@link ContextHandle#setAdapters} switches it on.
 *
 * <p><i>Ownership</i>: a child of its model. A context that it is active in points to it, so it cannot be closed before that context
 * is closed or has let go of it.
 */
public final class AdapterHandle extends NativeHandle {

    private final Path path;
    private final List<ContextHandle> users = new ArrayList<>();

    private AdapterHandle(ModelHandle model, Path path, MemorySegment raw) {
        super("adapter " + path.getFileName() + " of " + model.name(), model, raw, lucifer_llama_h::lucifer_adapter_free);
        this.path = path;
    }

    /**
     * Loads an adapter.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException for a file that is no adapter, or one of another model
     */
    public static AdapterHandle load(ModelHandle model, Path path) {
        return model.adopt(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
                int status = lucifer_adapter_load(model.shared(), NativeText.in(arena, "adapter", path.toString()), pointer);
                Status.check(status, "lucifer_adapter_load", Status.About.model(path));
                return new AdapterHandle(model, path, pointer.get(ValueLayout.ADDRESS, 0));
            }
        });
    }

    /** The file it was loaded from. */
    public Path path() {
        return path;
    }

    /** Notes that a context points to it, or is about to. */
    void usedBy(ContextHandle context) {
        claim("activation");
        try {
            synchronized (users) {
                users.add(context);
            }
        } finally {
            release();
        }
    }

    /** Takes back one {@link #usedBy}. */
    void unusedBy(ContextHandle context) {
        synchronized (users) {
            users.remove(context);
        }
    }

    @Override
    void requireClosable() {
        synchronized (users) {
            users.removeIf(NativeHandle::isClosed);
            if (!users.isEmpty()) {
                throw new BusyException(name(), users.getFirst().name() + ", in which it is active");
            }
        }
    }
}
