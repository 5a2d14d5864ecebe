package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Number formats as the library knows them; for comparing with the pure Java table. <i>Threads</i>: any. */
public final class GgmlTypes {

    private GgmlTypes() {}

    /**
     * @param id            of {@code enum ggml_type}
     * @param name          "q4_K"
     * @param blockElements numbers in a block
     * @param blockBytes    bytes of a block
     */
    public record Description(int id, String name, long blockElements, long blockBytes) {}

    /** The type of an id; empty when this version has none. */
    public static Optional<Description> describe(int id) {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(64);
            MemorySegment numbers = arena.allocate(ValueLayout.JAVA_LONG, 3);
            MemorySegment length = numbers.asSlice(0, 8);
            int status = lucifer_ggml_type(id, text, text.byteSize(), length, numbers.asSlice(8, 8), numbers.asSlice(16, 8));
            if (status == LUCIFER_STATUS_INVALID_ARGUMENT()) {
                return Optional.empty();
            }
            Status.check(status, "lucifer_ggml_type");
            byte[] name = text.asSlice(0, length.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
            return Optional.of(new Description(id, new String(name, StandardCharsets.UTF_8),
                    numbers.getAtIndex(ValueLayout.JAVA_LONG, 1), numbers.getAtIndex(ValueLayout.JAVA_LONG, 2)));
        }
    }
}
