package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code export-lora} as it is typed. */
class ExportLoraCommandIT {

    private static final Path REPOSITORY = Path.of(System.getProperty("basedir", "."));
    private static final String MODEL = REPOSITORY.resolve("src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf").toString();
    private static final String ADAPTER = REPOSITORY.resolve("src/test/fixtures/lora/tiny-lora.gguf").toString();

    @TempDir
    Path folder;

    @Test
    void mergesAndReports() throws IOException {
        String out = folder.resolve("merged.gguf").toString();
        CliRun run = CliRun.of("export-lora", "--model-base", MODEL, "--lora", ADAPTER + ":2", "--model-out", out, "--outtype",
                "f32", "--json");
        assertEquals(ExitCode.OK, run.code(), run.err());
        JsonNode report = new ObjectMapper().readTree(run.out());
        assertEquals(12, report.get("merged").asInt());
        assertEquals(2.0, report.get("adapters").get(0).get("scale").asDouble());
        JsonNode verification = report.get("verification");
        assertTrue(verification.get("largest_difference").asDouble() < verification.get("tolerance").asDouble());
        assertTrue(run.err().contains("verified: 38 tensors"), run.err());
        assertEquals(12, report.get("merged_as").get("f32").asInt());
        CliRun quantized = CliRun.of("export-lora", "--model-base", MODEL, "--lora", ADAPTER, "--model-out", folder.resolve("q4.gguf").toString(),
                "--outtype", "q4_k");
        assertTrue(quantized.out().contains(": F16, ") && quantized.out().contains(" 12 of 38 tensors merged as q4_K, "), quantized.out() + quantized.err());
        CliRun again = CliRun.of("export-lora", "--model-base", MODEL, "--lora", ADAPTER, "--model-out", out, "--no-verify");
        assertEquals(ExitCode.USAGE, again.code());
        assertTrue(again.err().contains("--force"), again.err());
    }

    @Test
    void saysWhatIsMissing() {
        String out = folder.resolve("merged.gguf").toString();
        refused("--model-base", "--lora", ADAPTER, "--model-out", out);
        refused("--lora", "--model-base", MODEL, "--model-out", out);
        refused("--model-out", "--model-base", MODEL, "--lora", ADAPTER);
        refused("--outtype", "--model-base", MODEL, "--lora", ADAPTER, "--model-out", out, "--outtype", "q4_k_m");
        assertTrue(Files.notExists(Path.of(out)));
    }

    private static void refused(String option, String... words) {
        String[] line = new String[words.length + 1];
        line[0] = "export-lora";
        System.arraycopy(words, 0, line, 1, words.length);
        CliRun run = CliRun.of(line);
        assertEquals(ExitCode.USAGE, run.code(), run.err());
        assertTrue(run.err().startsWith("error: option " + option + ":"), run.err());
    }
}
