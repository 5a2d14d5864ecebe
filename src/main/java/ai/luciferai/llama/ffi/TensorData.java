package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import java.lang.foreign.MemorySegment;

/** Conversion of tensor data between floats and ggml's types, by ggml's own routines. Any number of threads may convert at once. */
public final class TensorData {

    private TensorData() {}

    /**
     * Elements as floats.
     *
     * @param type   id of {@code enum ggml_type}
     * @param source whole blocks of it
     * @param target native memory for as many floats
     */
    public static void toFloats(int type, MemorySegment source, MemorySegment target) {
        NativeLibrary.require();
        Status.check(lucifer_llama_h.lucifer_to_f32(type, source, source.byteSize(), target, target.byteSize() / Float.BYTES),
                "lucifer_to_f32");
    }

    /**
     * Floats as elements of a type.
     *
     * @param source native memory, rows of {@code perRow} floats
     * @param target native memory of exactly the size that they take
     */
    public static void fromFloats(int type, MemorySegment source, long perRow, MemorySegment target) {
        NativeLibrary.require();
        long rows = source.byteSize() / Float.BYTES / perRow;
        Status.check(lucifer_llama_h.lucifer_from_f32(type, source, rows, perRow, MemorySegment.NULL, target, target.byteSize()),
                "lucifer_from_f32");
    }
}
