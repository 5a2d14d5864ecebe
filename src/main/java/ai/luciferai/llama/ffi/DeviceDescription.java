package ai.luciferai.llama.ffi;

/**
 * Something that can compute: a line of C's {@code lucifer_devices}.
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

    static DeviceDescription of(String line) {
        String[] part = line.split("\t", 7);
        return new DeviceDescription(
                Long.parseLong(part[1]), Long.parseLong(part[2]), Integer.parseInt(part[0]), part[3], part[6], part[4], part[5]);
    }
}
