package ai.luciferai.llama;

import ai.luciferai.llama.ffi.DeviceDescription;
import ai.luciferai.llama.ffi.NativeDevices;
import java.util.List;

/** The devices of this machine, and those of rpc-servers that were added. */
public final class Devices {

    private Devices() {}

    /**
     * A backend library that is there but was not loaded.
     *
     * @param library its file name
     * @param reason  why
     */
    public record Skipped(String library, String reason) {}

    /** Every device that a loaded backend offers, in the backends' order. */
    public static List<Device> list() {
        return NativeDevices.list().stream().map(Devices::device).toList();
    }

    private static Device device(DeviceDescription d) {
        return new Device(d.name(), d.description(), Device.Type.values()[d.type()], d.backend(), d.memoryFree(), d.memoryTotal(),
                d.library());
    }

    /** Backend libraries that were not loaded, with the reason. */
    public static List<Skipped> skipped() {
        return NativeDevices.skipped().stream().map(s -> new Skipped(s.file(), s.reason())).toList();
    }

    /**
     * Adds the devices of an rpc-server; adding one twice adds nothing.
     *
     * @param endpoint "host:port"
     * @return how many devices it offers
     */
    public static int addRpcServer(String endpoint) {
        return NativeDevices.addRpcServer(Check.notEmpty("rpc", endpoint));
    }
}
