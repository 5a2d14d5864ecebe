package ai.luciferai.llama.bench;

import ai.luciferai.llama.AdamW;
import ai.luciferai.llama.LoraTrainer;
import ai.luciferai.llama.LoraTrainer.TrainingSample;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.train.AdapterFile;
import ai.luciferai.llama.train.Targets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Steps of training on random tokens, all of which are learnt; one thread. */
public final class Training {

    private static final int STEPS = 4;

    private Training() {}

    /** {@code Training MODEL ROWS LENGTH whole|layer}; prints tokens per second of processor time and peak resident memory. */
    public static void main(String[] args) throws IOException {
        Path base = Path.of(args[0]);
        int rows = Integer.parseInt(args[1]);
        int length = Integer.parseInt(args[2]);
        Path start = Files.createTempFile("start", ".gguf");
        writeAdapter(base, start);
        try (Model model = Model.load(base, LoraTrainer.MODEL_OPTIONS);
                LoraTrainer trainer = LoraTrainer.open(model, start, new LoraTrainer.Options(rows, rows, args[3].equals("layer"), 0, 1))) {
            var random = new Random(1);
            List<TrainingSample> samples = IntStream.range(0, rows / length).mapToObj(i -> sample(random, length + 1)).toList();
            step(trainer, samples);
            Duration before = processorTime();
            for (int i = 0; i < STEPS; i++) {
                step(trainer, samples);
            }
            double seconds = processorTime().minus(before).toNanos() / 1e9;
            System.out.println(report((long) STEPS * rows, seconds));
        } finally {
            Files.delete(start);
        }
    }

    private static void writeAdapter(Path base, Path out) throws IOException {
        try (GgufFile file = GgufReader.read(base); AtomicFile adapter = AtomicFile.create(out, true, List.of())) {
            AdapterFile.write(adapter, AdapterFile.metadata(file.metadata().string(Metadata.ARCHITECTURE), 16).build(),
                    AdapterFile.initial(Targets.choose(file.tensors(), List.of()), 8, 1));
            adapter.commit();
        }
    }

    private static TrainingSample sample(Random random, int length) {
        boolean[] learnt = new boolean[length];
        Arrays.fill(learnt, true);
        return new TrainingSample(random.ints(length, 0, 16000).toArray(), learnt);
    }

    private static void step(LoraTrainer trainer, List<TrainingSample> samples) {
        trainer.accumulate(samples, 0, Cancel.NONE);
        trainer.update(AdamW.defaults(), 1e-3f);
    }

    static Duration processorTime() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    }

    static String report(long tokens, double seconds) throws IOException {
        try (Stream<String> status = Files.lines(Path.of("/proc/self/status"))) {
            long peak = status.filter(line -> line.startsWith("VmHWM")).mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
            return "%.1f tokens per CPU second, peak %d MiB".formatted(tokens / seconds, peak >> 10);
        }
    }
}
