package ai.luciferai.llama;

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
        throw new UnsupportedOperationException();
    }

    /** Backend libraries that were not loaded, with the reason. */
    public static List<Skipped> skipped() {
        throw new UnsupportedOperationException();
    }

    /**
     * Adds the devices of an rpc-server; adding one twice adds nothing.
     *
     * @param endpoint "host:port"
     * @return how many devices it offers
     */
    public static int addRpcServer(String endpoint) {
        throw new UnsupportedOperationException();
    }
}
