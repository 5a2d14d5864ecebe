package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Offloading, on every machine: all layers run on a loopback rpc-server, which is a device with its own memory, and the answers are
 * those of the CPU.
 *
 * <p>The client runs in a JVM of its own: a device stays registered for the life of a process, and llama.cpp ends the process
 * when a server that it needs is gone.
 */
class RpcIT {

    @Test
    void allLayersOnAnRpcServer(@TempDir Path folder) throws Exception {
        try (var server = RpcServer.start(folder)) {
            server.runClient(Client.class, folder);
        }
    }

    /** What runs in the JVM of its own. */
    static final class Client {

        private Client() {}

        public static void main(String[] args) {
            assertEquals(1, Devices.addRpcServer(args[0]));
            assertEquals(1, Devices.addRpcServer(args[0]));
            List<Device> remote = Devices.list().stream().filter(d -> d.backend().equals("RPC")).toList();
            assertEquals(1, remote.size(), "adding a server twice adds nothing: " + remote);
            Device device = remote.getFirst();
            assertTrue(device.totalBytes() > 0, device::toString);
            ModelOptions offloaded = ModelOptions.defaults().withGpuLayers(GpuLayers.ALL).withDevices(List.of(device.name()));
            long freeBefore = device.freeBytes();
            try (Model model = Model.embedded(offloaded, Progress.NONE, Cancel.NONE); Session session = model.session(Goldens.context())) {
                for (JsonNode golden : Goldens.read("golden/greedy.jsonl")) {
                    if (golden.get("kind").asText().equals("plain") && golden.get("lora_scale").asDouble() == 0) {
                        Completion completion = session.complete(Prompt.text(golden.get("text").asText()), Goldens.greedy(golden));
                        assertEquals(golden.get("output").asText(), completion.text(), Goldens.command(golden));
                        assertArrayEquals(Goldens.ints(golden.get("tokens")), completion.tokenIds(), Goldens.command(golden));
                    }
                }
                System.out.println("device " + device + ", free before " + freeBefore + ", layers on it: " + model.info());
            }
        }
    }
}
