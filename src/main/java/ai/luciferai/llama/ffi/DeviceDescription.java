package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_device;
import java.lang.foreign.MemorySegment;

/**
 * Mirror of the C struct {@code lucifer_device}: something that can compute.
 *
 * @param memoryFree  bytes
 * @param memoryTotal bytes
 * @param type        enum lucifer_device_type
 * @param name        what options call it: "CUDA0", "RPC0", "CPU"
 * @param description the maker's name for it
 * @param backend     name of its backend: "CUDA", "RPC", "CPU"
 * @param library     path of the shared library that it came from
 */
public record DeviceDescription(
        long memoryFree, long memoryTotal, int type, String name, String description, String backend, String library) {

    static DeviceDescription of(MemorySegment struct) {
        return new DeviceDescription(
                lucifer_device.memory_free(struct), lucifer_device.memory_total(struct), lucifer_device.type(struct),
                NativeText.fixed(lucifer_device.name(struct)), NativeText.fixed(lucifer_device.description(struct)),
                NativeText.fixed(lucifer_device.backend(struct)), NativeText.fixed(lucifer_device.library(struct)));
    }
}
