package ai.luciferai.llama.train;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import ai.luciferai.llama.DamagedBytes;
import ai.luciferai.llama.core.BridgeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files with random damage are read, or refused by an exception of ours; nothing else. The seed is fixed: a build says the same twice. */
class TrainingFuzzTest {

    private static final int ROUNDS = 600;

    @TempDir
    Path folder;

    private interface Reader {
        void read(Path path) throws IOException;
    }

    private void fuzz(String name, byte[] sound, Reader reader) throws IOException {
        var random = new Random(20);
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            byte[] bytes = DamagedBytes.of(sound, random);
            Path file = Files.write(folder.resolve(name), bytes);
            try {
                reader.read(file);
            } catch (BridgeException expected) {
                refused++;
            } catch (RuntimeException | Error fault) {
                fail("round " + i + ": " + HexFormat.of().formatHex(Arrays.copyOf(bytes, Math.min(bytes.length, 512))), fault);
            }
        }
        assertTrue(refused > 0, "nothing is refused: the damage does no harm");
    }

    @Test
    void jsonLines() throws IOException {
        byte[] sound = """
                {"text": "a\\nb \\u00e9"}
                {"prompt": "p", "completion": "c"}
                {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
                """.getBytes(StandardCharsets.UTF_8);
        fuzz("data.jsonl", sound, file -> SampleFile.read(file, false));
        fuzz("skipped.jsonl", sound, file -> SampleFile.read(file, true));
    }

    @Test
    void stateFile() throws IOException {
        Path file = folder.resolve("sound.state");
        var tensors = List.of(new AdapterFile.Tensor("w.lora_a", 4, 2, new float[8]), new AdapterFile.Tensor("w.lora_b", 2, 4, new float[8]));
        new TrainingState("base", "settings", 2, 2, new double[] {2, 1}, Double.NaN, 0, tensors).write(file);
        fuzz("fuzzed.state", Files.readAllBytes(file), damaged -> {
            TrainingState state = TrainingState.read(damaged, "base", "settings");
            state.values(List.of("w.lora_a", "w.lora_b"), "", damaged);
        });
    }
}
