package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Offloading, on every machine: all layers run on a loopback rpc-server, which is a device with its own memory, and the answers are
 * those of the CPU.
 *
 * <p>The client runs in a JVM of its own: a device stays registered for the life of a process.
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

        public static void main(String[] args) throws IOException {
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
                threadsCanBeLeftToTheLibraryAgain(session);
                collectsTheSame(offloaded);
                threadsAreThoseThatHaveWork(offloaded);
                System.out.println("device " + device + ", free before " + freeBefore + ", layers on it: " + model.info());
            }
        }

        /** Activations come from the device's memory, and are those of the CPU. */
        private static void collectsTheSame(ModelOptions offloaded) throws IOException {
            Path folder = Files.createTempDirectory("imatrix");
            Path there = imatrix(folder.resolve("rpc.gguf"), offloaded);
            Path here = imatrix(folder.resolve("cpu.gguf"), Goldens.onCpu());
            assertEquals(-1, Files.mismatch(there, here));
        }

        /** Where the device computes all, the others of the CPU would only wait for work, and be in the way. */
        private static void threadsAreThoseThatHaveWork(ModelOptions offloaded) {
            int cores = threads(Goldens.onCpu(), ContextOptions.defaults());
            assertEquals(1, threads(offloaded, ContextOptions.defaults()));
            assertEquals(3, threads(offloaded, ContextOptions.defaults().withThreads(3)));
            assertEquals(cores, threads(offloaded.withGpuLayers(GpuLayers.of(1)), ContextOptions.defaults()));
            assertEquals(cores, threads(offloaded, ContextOptions.defaults().withCache(KvCache.defaults().withOffload(false))));
        }

        /** Also while a session has content. */
        private static void threadsCanBeLeftToTheLibraryAgain(Session session) {
            Completion before = session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9));
            session.threads(Threads.of(2));
            session.threads(Threads.defaults());
            assertArrayEquals(before.tokenIds(), session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).tokenIds());
        }

        private static int threads(ModelOptions where, ContextOptions options) {
            return Bench.run(Bench.Request.defaults().withModelOptions(where).withContextOptions(options).withRepetitions(1)
                    .withTests(List.of(new Bench.Test(1, 0))), Progress.NONE, Cancel.NONE).threads();
        }

        private static Path imatrix(Path out, ModelOptions where) throws IOException {
            Path text = Files.writeString(out.resolveSibling("text.txt"), "list files in src directory\nls src/\n".repeat(30));
            Imatrix.run(ImatrixOptions.of(EmbeddedModel.path(), text, out).withChunks(64, 0, 2).withModelOptions(where)
                    .withContextOptions(ContextOptions.defaults().withThreads(1)), Progress.NONE, Cancel.NONE);
            return out;
        }
    }
}
