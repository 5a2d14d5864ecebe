package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** What can compute in this process, and why something cannot. <i>Threads</i>: any. */
public final class NativeDevices {

    private NativeDevices() {}

    /**
     * A backend library that is there but was not loaded.
     *
     * @param file   its name
     * @param reason why not
     */
    public record Skipped(String file, String reason) {}

    /** All devices, with their memory at this moment. */
    public static List<DeviceDescription> list() {
        NativeLibrary.require();
        return NativeText.string("lucifer_devices", 4096, Status.About.NOTHING,
                (buffer, capacity, length) -> lucifer_devices(buffer, capacity, length)).lines().map(DeviceDescription::of).toList();
    }

    /** Backend libraries beside ours that were not loaded. */
    public static List<Skipped> skipped() {
        NativeLibrary.require();
        return NativeText.string("lucifer_backends_skipped", 4096, Status.About.NOTHING,
                (buffer, capacity, length) -> lucifer_backends_skipped(buffer, capacity, length)).lines().map(line -> {
                    int tab = line.indexOf('\t');
                    return tab < 0 ? new Skipped(line, "") : new Skipped(line.substring(0, tab), line.substring(tab + 1));
                }).toList();
    }

    /**
     * Adds the devices of an rpc-server; a second time adds nothing.
     *
     * @param endpoint "host:port"
     * @return how many devices it offers
     */
    public static int addRpcServer(String endpoint) {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            Status.check(lucifer_rpc_add_server(NativeText.in(arena, "rpc", endpoint), count), "lucifer_rpc_add_server",
                    Status.About.option("rpc", "host:port of a running rpc-server", endpoint));
            return count.get(ValueLayout.JAVA_INT, 0);
        }
    }
}
