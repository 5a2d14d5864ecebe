package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_kv_override;
import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.core.InvalidOptionException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Metadata values to take instead of a file's. */
public final class KvOverrides {

    private KvOverrides() {}

    /**
     * One value.
     *
     * @param value Long, Double, Boolean or String
     */
    public record Entry(String key, Object value) {}

    /** An array of the C struct {@code lucifer_kv_override}, or the null pointer for none. */
    static MemorySegment toNative(List<Entry> entries, SegmentAllocator arena) {
        if (entries.isEmpty()) {
            return MemorySegment.NULL;
        }
        MemorySegment array = lucifer_kv_override.allocateArray(entries.size(), arena);
        for (int i = 0; i < entries.size(); i++) {
            write(entries.get(i), lucifer_kv_override.asSlice(array, i));
        }
        return array;
    }

    private static void write(Entry entry, MemorySegment struct) {
        fixed(lucifer_kv_override.key(struct), "key", entry.key());
        switch (entry.value()) {
            case Long number -> {
                lucifer_kv_override.type(struct, lucifer_llama_h.LUCIFER_KV_INT());
                lucifer_kv_override.val_int(struct, number);
            }
            case Double number -> {
                lucifer_kv_override.type(struct, lucifer_llama_h.LUCIFER_KV_FLOAT());
                lucifer_kv_override.val_float(struct, number);
            }
            case Boolean flag -> {
                lucifer_kv_override.type(struct, lucifer_llama_h.LUCIFER_KV_BOOL());
                lucifer_kv_override.val_int(struct, flag ? 1 : 0);
            }
            case String text -> {
                lucifer_kv_override.type(struct, lucifer_llama_h.LUCIFER_KV_STR());
                fixed(lucifer_kv_override.val_str(struct), "value", text);
            }
            case null, default ->
                throw new InvalidOptionException("kvOverride", "a Long, Double, Boolean or String", entry.value());
        }
    }

    private static void fixed(MemorySegment array, String part, String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length >= array.byteSize()) {
            throw new InvalidOptionException("kvOverride", "a " + part + " shorter than " + array.byteSize() + " bytes", text);
        }
        array.setString(0, text);
    }
}
