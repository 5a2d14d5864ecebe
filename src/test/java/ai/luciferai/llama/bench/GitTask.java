package ai.luciferai.llama.bench;

import ai.luciferai.llama.AdapterSource;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.DataOptions;
import ai.luciferai.llama.ExportLora;
import ai.luciferai.llama.ExportLoraOptions;
import ai.luciferai.llama.Finetune;
import ai.luciferai.llama.FinetuneOptions;
import ai.luciferai.llama.FinetuneReport;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.QuantType;
import ai.luciferai.llama.Quantize;
import ai.luciferai.llama.QuantizeOptions;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.Schedule;
import ai.luciferai.llama.Session;
import ai.luciferai.llama.TrainingRun;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** README's example of finetuning, measured: how fast it is, and how many held-out prompts are answered exactly at each stage. */
public final class GitTask {

    private static final Path DATA = Path.of("src/test/fixtures/data");
    private static final Path GIT = DATA.resolve("git-train.jsonl");

    private GitTask() {}

    /** {@code GitTask speed|task MODEL FOLDER}. */
    public static void main(String[] args) throws IOException {
        Path base = Path.of(args[1]);
        Path folder = Path.of(args[2]);
        if (args[0].equals("speed")) {
            Duration before = Training.processorTime();
            FinetuneReport report = train(base, folder.resolve("speed.gguf"), DataOptions.of(GIT), 1, 4);
            System.out.println(Training.report(report.data().tokens(), Training.processorTime().minus(before).toNanos() / 1e9));
        } else {
            task(base, folder);
        }
    }

    private static FinetuneReport train(Path base, Path out, DataOptions data, int epochs, int batch) throws IOException {
        return Finetune.run(FinetuneOptions.of(base, GIT, out).withData(data).withForce(true)
                .withSchedule(Schedule.defaults().withLearningRate(2e-3f))
                .withRun(TrainingRun.defaults().withEpochs(epochs).withBatchSize(batch).withThreads(1)), Progress.NONE, Cancel.NONE);
    }

    private static void task(Path base, Path folder) throws IOException {
        Path adapter = folder.resolve("git.gguf");
        Path merged = folder.resolve("merged.gguf");
        System.out.println(base.getFileName() + ": " + score(base, List.of()));
        DataOptions data = DataOptions.of(GIT, DATA.resolve("base-train.jsonl")).withLoss(DataOptions.Loss.RESPONSE);
        FinetuneReport report = train(base, adapter, data, 4, 8);
        System.out.printf("  with adapter, %.0f s of training: %s%n", report.seconds(), score(base, List.of(AdapterSource.of(adapter))));
        ExportLora.run(ExportLoraOptions.of(base, List.of(AdapterSource.of(adapter)), merged).withForce(true), Progress.NONE, Cancel.NONE);
        System.out.println("  merged: " + score(merged, List.of()));
        for (String type : List.of("Q8_0", "Q4_K_M")) {
            Path quantized = folder.resolve("merged-" + type + ".gguf");
            Quantize.run(QuantizeOptions.of(merged, quantized, QuantType.parse(type)).withForce(true).withAllowRequantize(true), Progress.NONE, Cancel.NONE);
            System.out.println("  merged, then " + type + ": " + score(quantized, List.of()));
        }
    }

    private static String score(Path model, List<AdapterSource> adapters) throws IOException {
        return "%d of 100 git prompts, %d of 100 others".formatted(exact(model, adapters, "git-test.jsonl"), exact(model, adapters, "base-test.jsonl"));
    }

    private static int exact(Path path, List<AdapterSource> adapters, String data) throws IOException {
        var greedy = GenerateOptions.defaults().withMaxTokens(48).withSampling(Sampling.greedy());
        int right = 0;
        try (Model model = Model.load(path, ModelOptions.defaults().withAdapters(adapters));
                Session session = model.session(ContextOptions.defaults().withThreads(1))) {
            for (String line : Files.readAllLines(DATA.resolve(data))) {
                String text = new JsonMapper().readTree(line).get("text").textValue();
                int answer = text.indexOf('\n') + 1;
                right += session.complete(Prompt.text(text.substring(0, answer)), greedy).text().equals(text.substring(answer)) ? 1 : 0;
            }
        }
        return right;
    }
}
