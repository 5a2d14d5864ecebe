package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
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

    /** Two servers with a copy each: what they learn together is what one alone learns from the same samples. */
    @Test
    void trainsOnTwoDevicesAtOnce(@TempDir Path folder) throws Exception {
        Path second = Files.createDirectory(folder.resolve("second"));
        try (var one = RpcServer.start(folder); var other = RpcServer.start(second)) {
            one.runClient(ParallelClient.class, folder, folder.toString(), other.endpoint());
        }
    }

    /** What runs in the JVM of its own. */
    static final class ParallelClient {

        private ParallelClient() {}

        public static void main(String[] args) throws IOException {
            Path folder = Path.of(args[1]);
            assertEquals(1, Devices.addRpcServer(args[0]));
            assertThrows(InvalidOptionException.class, () -> TrainingModels.placements(options(folder, "one").withDataParallel(true)));
            assertEquals(1, Devices.addRpcServer(args[2]));
            FinetuneReport here = Finetune.run(options(folder, "cpu").withPlacement(Placement.defaults().withGpuLayers(GpuLayers.NONE)),
                    Progress.NONE, Cancel.NONE);
            FinetuneOptions both = options(folder, "both").withPlacement(Placement.defaults().withGpuLayers(GpuLayers.ALL)).withDataParallel(true);
            FinetuneReport there = Finetune.run(both, Progress.NONE, Cancel.NONE);
            assertEquals(here.losses().size(), there.losses().size());
            for (int i = 0; i < here.losses().size(); i++) {
                assertEquals(here.losses().get(i), there.losses().get(i), 1e-4, "step " + i);
            }
            assertEquals(here.evaluations().getLast().loss(), there.evaluations().getLast().loss(), 1e-4);
            byte[] adapter = Files.readAllBytes(both.out());
            stopsAndGoesOn(both);
            assertArrayEquals(adapter, Files.readAllBytes(both.out()), "a training can be repeated, and resumed");
        }

        private static void stopsAndGoesOn(FinetuneOptions options) throws IOException {
            var cancel = new Cancel();
            FinetuneReport stopped = Finetune.run(options, event -> {
                if (event.phase().equals("train") && event.done() == 1) {
                    cancel.request();
                }
            }, cancel);
            assertEquals(1, stopped.steps());
            FinetuneReport done = Finetune.run(options.withResume(true), Progress.NONE, Cancel.NONE);
            assertEquals(3, done.steps());
        }

        private static FinetuneOptions options(Path folder, String name) throws IOException {
            Path data = Files.write(folder.resolve("data.jsonl"),
                    Files.readAllLines(Path.of("src/test/fixtures/data/git-train.jsonl")).subList(0, 28));
            return FinetuneOptions.of(EmbeddedModel.path(), data, folder.resolve(name + ".gguf")).withForce(true)
                    .withData(DataOptions.of(data).withEvalSplit(0.15f)).withSchedule(new Schedule(1e-3f, Schedule.Shape.LINEAR, 0))
                    .withRun(TrainingRun.defaults().withEpochs(1).withBatchSize(8).withThreads(1).withPrecision(TrainingRun.Precision.F32));
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
                agrees(here, train(folder, remote, memory, TrainingRun.Precision.AUTO), 1e-3, memory + " mixed");
            }
            unpacksQuantizedWeights(folder, remote);
        }

        /** Micro-batches of so many rows that a quantized weight is brought to BF16 before it is multiplied by. */
        private static void unpacksQuantizedWeights(Path folder, Placement remote) throws IOException {
            Path base = folder.resolve("q4_k_m.gguf");
            Quantize.run(QuantizeOptions.of(EmbeddedModel.path(), base, QuantType.parse("Q4_K_M")), Progress.NONE, Cancel.NONE);
            LoraTrainer.Step here = step(base, folder, Placement.defaults().withGpuLayers(GpuLayers.NONE));
            LoraTrainer.Step there = step(base, folder, remote);
            assertEquals(here.gradNorm(), there.gradNorm(), 0.01 * here.gradNorm());
        }

        private static LoraTrainer.Step step(Path base, Path folder, Placement placement) {
            int rows = 1024;
            boolean[] learnt = new boolean[257];
            Arrays.fill(learnt, true);
            var random = new Random(1);
            List<LoraTrainer.TrainingSample> samples = IntStream.range(0, rows / 256)
                    .mapToObj(i -> new LoraTrainer.TrainingSample(random.ints(257, 300, 1000).toArray(), learnt)).toList();
            try (Model model = Model.load(base, LoraTrainer.MODEL_OPTIONS.withPlacement(placement), Progress.NONE, Cancel.NONE);
                    LoraTrainer trainer = LoraTrainer.open(model, folder.resolve("adapter.gguf"), new LoraTrainer.Options(rows, rows, true, 0, 1))) {
                double loss = trainer.accumulate(samples, 0, Cancel.NONE) / rows;
                System.out.println("loss of " + rows + " rows from Q4_K_M: " + loss);
                return trainer.update(AdamW.defaults(), 1e-3f);
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
