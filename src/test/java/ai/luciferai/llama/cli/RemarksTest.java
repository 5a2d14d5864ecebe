package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RemarksTest {

    @TempDir
    Path folder;

    /** In a process of its own, because logging is set up once in each. */
    private String err(String... options) throws IOException, InterruptedException {
        Path checkpoint = folder.resolve("llama-shards");
        if (!Files.exists(checkpoint)) {
            Files.createDirectories(checkpoint);
            try (var files = Files.list(Path.of("src/test/fixtures/convert/llama-shards"))) {
                for (Path file : files.toList()) {
                    Files.copy(file, checkpoint.resolve(file.getFileName()));
                }
            }
            Path config = checkpoint.resolve("config.json");
            Files.writeString(config, Files.readString(config).replaceFirst("\"vocab_size\": \\d+", "\"vocab_size\": 7"));
        }
        var words = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp", System.getProperty("java.class.path"),
                Main.class.getName(), "convert", checkpoint.toString(), "--outfile", folder.resolve("out.gguf").toString(), "--force"));
        words.addAll(List.of(options));
        Process process = new ProcessBuilder(words).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        String text = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), text);
        return text;
    }

    @Test
    void areOnePlainLineEach() throws IOException, InterruptedException {
        List<String> lines = err().lines().toList();
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("warning: ") && line.contains("vocab_size is 7")), lines::toString);
        assertFalse(lines.stream().anyMatch(line -> line.contains("ai.luciferai") || line.startsWith("WARNING") || line.startsWith("INFO")), lines::toString);
        assertEquals("", err("-q"));
    }

    /** As llama.cpp's tools have it: who wraps the command in a script relies on it. But nobody shall lose a value unawares. */
    @Test
    void ofAnOptionThatIsGivenTwiceTheLastCountsAndThatIsSaid() throws IOException, InterruptedException {
        List<String> lines = err("--outtype", "f16", "--outtype", "f32").lines().filter(line -> line.contains("--outtype")).toList();
        assertEquals(List.of("warning: --outtype is given 2 times, only the last counts: 'f32'"), lines);
        assertFalse(err("--outtype", "f16", "--outtype", "f16").contains("--outtype"));
    }
}
