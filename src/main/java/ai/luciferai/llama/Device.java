package ai.luciferai.llama;

/**
 * A processor that a backend offers.
 *
 * @param name        what options take: "CUDA0", "RPC0", "CPU"
 * @param description what the maker calls it
 * @param type        what it is
 * @param backend     "CUDA", "RPC", "CPU"
 * @param freeBytes   memory that is free
 * @param totalBytes  memory it has
 * @param library     path of the shared library that it came from; empty: linked in
 */
public record Device(String name, String description, Type type, String backend, long freeBytes, long totalBytes, String library) {

    /** {@code enum lucifer_device_type}, in its order. */
    public enum Type {
        CPU,
        GPU,
        INTEGRATED_GPU,
        ACCELERATOR,
        META
    }

    /** Whether it is a place to offload layers to. */
    public boolean isGpu() {
        return type == Type.GPU || type == Type.INTEGRATED_GPU;
    }
}
