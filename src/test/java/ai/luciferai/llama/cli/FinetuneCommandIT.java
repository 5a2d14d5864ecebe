package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code finetune} as it is typed. */
class FinetuneCommandIT {

    private static final Path REPOSITORY = Path.of(System.getProperty("basedir", "."));
    private static final String MODEL = REPOSITORY.resolve("src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf").toString();

    @TempDir
    Path folder;

    private String data(String name) throws IOException {
        List<String> lines = Files.readAllLines(REPOSITORY.resolve("src/test/fixtures/data/" + name)).subList(0, 8);
        return Files.write(folder.resolve(name), lines).toString();
    }

    @Test
    void mixesFilesAndPrintsStepsAsJson() throws IOException {
        String out = folder.resolve("adapter.gguf").toString();
        CliRun run = CliRun.of("finetune", "--model-base", MODEL, "--train-data", data("git-train.jsonl"), "--train-data",
                data("base-train.jsonl"), "--lora-out", out, "--epochs", "1", "--batch-size", "8", "-t", "1", "--json-steps");
        assertEquals(ExitCode.OK, run.code(), run.err());
        List<String> lines = run.out().lines().limit(2).toList();
        for (int i = 0; i < 2; i++) {
            JsonNode step = new ObjectMapper().readTree(lines.get(i));
            assertEquals(i + 1, step.get("step").asInt());
            assertEquals(2, step.get("steps").asInt());
            assertTrue(step.get("loss").asDouble() > 0 && step.has("lr") && step.has("gradNorm"), lines.get(i));
        }
        JsonNode report = new ObjectMapper().readTree(Path.of(out + ".report.json").toFile());
        assertEquals(16, report.get("data").get("samples").asInt());
        assertEquals(0, report.get("cpu_fallbacks").asInt());
        assertEquals("git-train.jsonl, base-train.jsonl", report.get("settings").get("training data").asText());
    }

    @Test
    void saysWhatIsMissing() {
        for (String option : List.of("--model-base", "--train-data", "--lora-out")) {
            String[] words = {"finetune", "--model-base", MODEL, "--train-data", "a.jsonl", "--lora-out", "b.gguf"};
            List<String> line = new ArrayList<>(List.of(words));
            int at = line.indexOf(option);
            line.subList(at, at + 2).clear();
            CliRun run = CliRun.of(line.toArray(String[]::new));
            assertEquals(ExitCode.USAGE, run.code(), run.err());
            assertTrue(run.err().startsWith("error: option " + option + ":"), run.err());
        }
    }
}
