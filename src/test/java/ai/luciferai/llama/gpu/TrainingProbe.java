package ai.luciferai.llama.gpu;

import ai.luciferai.llama.AdamW;
import ai.luciferai.llama.GpuLayers;
import ai.luciferai.llama.LoraTrainer;
import ai.luciferai.llama.LoraTrainer.TrainingSample;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.TrainingRun;
import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.train.AdapterFile;
import ai.luciferai.llama.train.Targets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Steps on one sequence of random tokens, all of which are learnt; rank 16 on all linear layers. As peft_gpu.py does it. */
final class TrainingProbe {

    private static final int RANK = 16;

    private TrainingProbe() {}

    static Map<String, Object> run(Path base, int rows, boolean layers, int steps, TrainingRun.Precision precision) throws IOException {
        Path start = Files.createTempFile("start", ".gguf");
        writeAdapter(base, start);
        long begin = System.nanoTime();
        try (Model model = Model.load(base, LoraTrainer.MODEL_OPTIONS.withGpuLayers(GpuLayers.ALL), Progress.NONE, Cancel.NONE);
                LoraTrainer trainer = LoraTrainer.open(model, start, new LoraTrainer.Options(rows, rows, layers, 0, 0, precision))) {
            double opened = (System.nanoTime() - begin) / 1e9;
            TrainingSample sample = sample(rows + 1);
            var losses = new ArrayList<Double>();
            step(trainer, sample, losses);
            double accumulating = 0;
            begin = System.nanoTime();
            for (int i = 0; i < steps; i++) {
                accumulating += step(trainer, sample, losses);
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            LoraTrainer.Info info = trainer.info();
            return Probe.map("tokens_per_s", Outcome.round(steps * rows / seconds), "step_s", Outcome.round(seconds / steps),
                    "gradients_s", Outcome.round(accumulating / steps), "fallbacks", info.cpuFallbacks(), "compute_mib", info.computeBytes() >> 20,
                    "loss_scale", info.lossScale(), "opened_s", Outcome.round(opened), "losses", losses);
        } finally {
            Files.delete(start);
        }
    }

    private static void writeAdapter(Path base, Path out) throws IOException {
        try (GgufFile file = GgufReader.read(base); AtomicFile adapter = AtomicFile.create(out, true, List.of())) {
            AdapterFile.write(adapter, AdapterFile.metadata(file.metadata().string(Metadata.ARCHITECTURE), 2 * RANK).build(),
                    AdapterFile.initial(Targets.choose(file.tensors(), List.of()), RANK, 1));
            adapter.commit();
        }
    }

    private static TrainingSample sample(int length) {
        boolean[] learnt = new boolean[length];
        Arrays.fill(learnt, true);
        return new TrainingSample(new Random(1).ints(length, 300, 30_000).toArray(), learnt);
    }

    /** Seconds of the gradients alone. */
    private static double step(LoraTrainer trainer, TrainingSample sample, List<Double> losses) {
        long begin = System.nanoTime();
        losses.add(Outcome.round(trainer.accumulate(List.of(sample), 0, Cancel.NONE) / sample.supervisedCount()));
        double seconds = (System.nanoTime() - begin) / 1e9;
        trainer.update(AdamW.defaults(), 1e-4f);
        return seconds;
    }
}
