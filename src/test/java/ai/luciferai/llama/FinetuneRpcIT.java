package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Training with all layers on another device, which here is a loopback rpc-server: in F32 the losses are those of the CPU, and with
 * products of 16 bits what these leave of them.
 */
class FinetuneRpcIT {

    @Test
    void trainsOnAnotherDevice(@TempDir Path folder) throws Exception {
        try (var server = RpcServer.start(folder)) {
            server.runClient(Client.class, folder, folder.toString());
        }
    }

    /** What runs in the JVM of its own. */
    static final class Client {

        private Client() {}

        public static void main(String[] args) throws IOException {
            Path folder = Path.of(args[1]);
            assertEquals(1, Devices.addRpcServer(args[0]));
            String name = Devices.list().stream().filter(d -> d.backend().equals("RPC")).findFirst().orElseThrow().name();
            Placement remote = Placement.defaults().withGpuLayers(GpuLayers.ALL).withDevices(List.of(name));
            for (TrainingRun.Memory memory : List.of(TrainingRun.Memory.WHOLE, TrainingRun.Memory.LAYER)) {
                FinetuneReport here = train(folder, Placement.defaults().withGpuLayers(GpuLayers.NONE), memory, TrainingRun.Precision.AUTO);
                assertEquals(1, here.lossScale());
                agrees(here, train(folder, remote, memory, TrainingRun.Precision.F32), 1e-4, memory + " in F32");
                agrees(here, train(folder, remote, memory, TrainingRun.Precision.AUTO), 2e-3, memory + " mixed");
            }
        }

        private static void agrees(FinetuneReport here, FinetuneReport there, double tolerance, String what) {
            assertEquals(0, there.cpuFallbacks(), what);
            assertEquals(4096, there.lossScale(), what);
            assertEquals(3, there.steps(), what);
            for (int i = 0; i < 3; i++) {
                System.out.println(what + ", step " + i + ": " + here.losses().get(i) + " here, " + there.losses().get(i) + " there");
                assertEquals(here.losses().get(i), there.losses().get(i), tolerance, what + ", step " + i);
            }
        }

        private static FinetuneReport train(Path folder, Placement placement, TrainingRun.Memory memory, TrainingRun.Precision precision)
                throws IOException {
            Path data = Files.write(folder.resolve("data.jsonl"),
                    Files.readAllLines(Path.of("src/test/fixtures/data/git-train.jsonl")).subList(0, 24));
            return Finetune.run(FinetuneOptions.of(EmbeddedModel.path(), data, folder.resolve("adapter.gguf")).withForce(true)
                    .withPlacement(placement).withSchedule(new Schedule(1e-3f, Schedule.Shape.LINEAR, 0))
                    .withRun(TrainingRun.defaults().withEpochs(1).withBatchSize(8).withThreads(1).withMemory(memory)
                            .withPrecision(precision)), Progress.NONE, Cancel.NONE);
        }
    }
}
