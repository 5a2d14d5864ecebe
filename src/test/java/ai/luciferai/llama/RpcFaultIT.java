package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An rpc-server that says nonsense, falls silent or goes away at any of its replies is an exception that names it, and the process lives.
 *
 * <p>The client runs in a JVM of its own: a device stays registered for the life of a process.
 */
class RpcFaultIT {

    @ParameterizedTest
    @EnumSource(FaultyProxy.Fault.class)
    void aServerThatFailsIsAnException(FaultyProxy.Fault fault, @TempDir Path folder) throws Exception {
        try (var server = RpcServer.start(folder)) {
            server.runClient(Client.class, folder, Map.of("LUCIFER_LLAMA_RPC_TIMEOUT", "5"), fault.name());
        }
    }

    /** What runs in the JVM of its own. */
    static final class Client {

        private static final String ANSWER = "ls";

        private Client() {}

        public static void main(String[] args) throws IOException {
            int port = Integer.parseInt(args[0].substring(args[0].indexOf(':') + 1));
            var fault = FaultyProxy.Fault.valueOf(args[1]);
            int replies = replies(port);
            assertTrue(replies > 20, "replies to a whole run: " + replies);
            int refused = 0;
            int step = fault == FaultyProxy.Fault.SILENCE ? 1 + replies / 12 : 1 + replies / 60;
            for (int at = 1; at <= replies; at += step) {
                // junk in place of a tensor's numbers may be any numbers, and a flag any flag
                boolean believable = fault == FaultyProxy.Fault.JUNK;
                try (var proxy = new FaultyProxy(port, fault, at)) {
                    // the listing of devices can do without an answer
                    String answer = answer(proxy.endpoint());
                    assertTrue(believable || answer.equals(ANSWER), fault + " at " + at + ": " + answer);
                } catch (BridgeException e) {
                    assertTrue(believable || e.getMessage().contains("rpc-server"), fault + " at " + at + ": " + e.getMessage());
                    refused++;
                }
            }
            assertTrue(refused > 5, "refused: " + refused);
            assertEquals(replies, replies(port), "the server, and this process, are as before");
        }

        private static int replies(int port) throws IOException {
            try (var proxy = new FaultyProxy(port, FaultyProxy.Fault.SILENCE, 0)) {
                assertEquals(ANSWER, answer(proxy.endpoint()));
                return proxy.replies();
            }
        }

        private static String answer(String endpoint) {
            Devices.addRpcServer(endpoint);
            String device = Devices.list().stream().filter(d -> d.description().equals(endpoint)).findFirst().orElseThrow().name();
            ModelOptions offloaded = ModelOptions.defaults().withGpuLayers(GpuLayers.ALL).withDevices(List.of(device));
            try (Model model = Model.embedded(offloaded, Progress.NONE, Cancel.NONE); Session session = model.session(Tiny.CONTEXT)) {
                return session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(4)).text();
            }
        }
    }
}
