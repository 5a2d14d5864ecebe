package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
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

    private static final int SERVER_START_SECONDS = 20;

    @Test
    void allLayersOnAnRpcServer(@TempDir Path folder) throws Exception {
        int port = freePort();
        Path log = folder.resolve("rpc-server.log");
        Process server = new ProcessBuilder(Goldens.program("ggml-rpc-server").toString(), "--host", "127.0.0.1", "--port", Integer.toString(port), "--threads", "1")
                .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            waitUntilListening(server, port, log);
            Path out = folder.resolve("client.log");
            List<String> command = Goldens.java();
            command.addAll(List.of(Client.class.getName(), "127.0.0.1:" + port));
            Process client = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
            boolean ended = client.waitFor(120, TimeUnit.SECONDS);
            client.destroyForcibly();
            assertTrue(ended, () -> "the client hangs: " + read(out));
            assertEquals(0, client.exitValue(), () -> read(out) + "\nserver: " + read(log));
        } finally {
            server.destroy();
            if (!server.waitFor(5, TimeUnit.SECONDS)) {
                server.destroyForcibly().waitFor();
            }
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

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void waitUntilListening(Process server, int port, Path log) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SERVER_START_SECONDS);
        while (true) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
                return;
            } catch (IOException e) {
                assertTrue(server.isAlive() && System.nanoTime() < end, () -> "the server does not listen: " + read(log));
                Thread.sleep(50);
            }
        }
    }

    private static String read(Path path) {
        try {
            return Files.readAllLines(path).stream().filter(line -> !line.isBlank()).collect(Collectors.joining("\n"));
        } catch (IOException e) {
            return Arrays.toString(e.getStackTrace());
        }
    }
}
