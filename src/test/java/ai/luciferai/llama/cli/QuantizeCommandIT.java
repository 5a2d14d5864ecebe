package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code quantize} as it is typed. */
class QuantizeCommandIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private String model;

    @BeforeEach
    void unpackModel() throws IOException {
        Path file = folder.resolve("model.gguf");
        try (InputStream in = QuantizeCommandIT.class.getResourceAsStream("/ai/luciferai/llama/lucifer-tiny-f16.gguf")) {
            Files.copy(in, file);
        }
        model = file.toString();
    }

    @Test
    void theGuidesCommandWorks() throws IOException {
        String out = ok("quantize", model, in("model-q4_k_m.gguf"), "Q4_K_M");
        assertTrue(out.startsWith(in("model-q4_k_m.gguf") + ": Q4_K_M, 1.6 MiB, 4.99 bits per weight"), out);
        assertEquals(Set.of("model.gguf", "model-q4_k_m.gguf"), files());
    }

    @Test
    void outputThreadsAndCaseAreOptional() throws IOException {
        ok("quantize", model, "q8_0", "1");
        ok("quantize", model, in("x.gguf"), "7", "1");
        assertEquals(Set.of("model.gguf", "model-q8_0.gguf", "x.gguf"), files());
        assertEquals(-1, Files.mismatch(folder.resolve("model-q8_0.gguf"), folder.resolve("x.gguf")));
    }

    @Test
    void typesMakeOneFileEachAndFailuresAreReportedAtTheEnd() throws IOException {
        Files.createDirectory(folder.resolve("out"));
        CliRun run = CliRun.of("quantize", model, "--types", "Q8_0,IQ1_S,Q4_0", "--out-dir", in("out"), "-q");
        assertEquals(ExitCode.USAGE, run.code());
        assertTrue(run.err().contains("becomes iq1_s, which needs one"), run.err());
        assertTrue(run.out().contains("model-iq1_s.gguf: failed"), run.out());
        assertTrue(Files.exists(folder.resolve("out/model-q8_0.gguf")) && Files.exists(folder.resolve("out/model-q4_0.gguf")));
        CliRun again = CliRun.of("quantize", model, "--types", "Q8_0,Q4_0", "--out-dir", in("out"), "-q");
        assertEquals(ExitCode.OK, again.code());
        assertEquals(2, again.out().lines().filter(line -> line.endsWith("exists, skipped")).count());
    }

    @Test
    void infoShowsTheModelAndItsSizeInEachType() {
        String out = ok("quantize", model, "--info");
        assertTrue(out.startsWith("GGUF model file version 3\n"), out);
        assertTrue(out.contains("F16, 5.0 MiB, 16.01 bits per weight"), out);
        assertTrue(out.lines().anyMatch(line -> line.startsWith("Q4_K_M ") && line.contains("1.6 MiB")), out);
    }

    @Test
    void listTypesNeedsNoModel() {
        String out = ok("quantize", "--list-types");
        assertTrue(out.contains("Q4_K_M             4.89"), out);
        assertTrue(out.contains("IQ2_XS             2.59  very high loss; needs an importance matrix"), out);
    }

    @Test
    void dryRunWritesNothing() throws IOException {
        JsonNode plan = JSON.readTree(ok("quantize", model, "Q2_K", "--dry-run", "--json"));
        assertEquals("Q2_K", plan.get("type").asText());
        assertEquals("q3_K", tensor(plan, "blk.0.attn_v.weight").get("to").asText());
        assertEquals(Set.of("model.gguf"), files());
    }

    private static JsonNode tensor(JsonNode plan, String name) {
        for (JsonNode tensor : plan.get("tensors")) {
            if (tensor.get("name").asText().equals(name)) {
                return tensor;
            }
        }
        throw new AssertionError("no " + name);
    }

    @Test
    void budgetChoosesTypeAndName() throws IOException {
        CliRun run = CliRun.of("quantize", model, "--for-ram", "3M");
        assertEquals(ExitCode.OK, run.code(), run.err());
        assertTrue(run.err().contains("Q8_0        2.7 MiB  too large"), run.err());
        assertTrue(run.err().contains("Q6_K        2.1 MiB  chosen"), run.err());
        assertEquals(Set.of("model.gguf", "model-q6_k.gguf"), files());
    }

    @Test
    void wrongInputIsExplained() {
        refused(ExitCode.USAGE, "IN [OUT] TYPE [THREADS]", "quantize");
        refused(ExitCode.USAGE, "expected one of F32", "quantize", model, "Q9");
        refused(ExitCode.USAGE, "expected one of F32", "quantize", model, in("x.gguf"), "Q9");
        refused(ExitCode.INPUT_FILE, "nothing at this path", "quantize", in("missing.gguf"), "Q8_0");
        refused(ExitCode.USAGE, "another file than the input", "quantize", model, model, "Q8_0", "--force");
        refused(ExitCode.USAGE, "PATTERN=TYPE", "quantize", model, "Q8_0", "--tensor-type", "attn_v");
        refused(ExitCode.USAGE, "--for-ram", "quantize", model, "--for-ram", "much");
        refused(ExitCode.USAGE, "needs a file of 1.1 MiB", "quantize", model, "--target-size", "500K");
        refused(ExitCode.USAGE, "becomes iq1_s, which needs one", "quantize", model, "IQ1_S");
    }

    private static String ok(String... words) {
        CliRun run = CliRun.of(words);
        assertEquals(ExitCode.OK, run.code(), run.err());
        return run.out();
    }

    private static void refused(int code, String message, String... words) {
        CliRun run = CliRun.of(words);
        assertEquals(code, run.code(), run.err());
        assertEquals("", run.out());
        assertTrue(run.err().contains(message), run.err());
    }

    private String in(String name) {
        return folder.resolve(name).toString();
    }

    private TreeSet<String> files() throws IOException {
        try (var files = Files.list(folder)) {
            return new TreeSet<>(files.map(file -> file.getFileName().toString()).toList());
        }
    }
}
