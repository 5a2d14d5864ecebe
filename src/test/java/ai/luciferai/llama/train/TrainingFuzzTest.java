package ai.luciferai.llama.train;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

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
    private static final int MOST_CHANGES = 4;

    /** Bytes that mean something in JSON or in numbers, beside random ones. */
    private static final byte[] SPECIAL = "{}[]\",:\\\n0-9u".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private interface Reader {
        void read(Path path) throws IOException;
    }

    private static byte[] damaged(byte[] sound, Random random) {
        byte[] bytes = sound.clone();
        for (int i = random.nextInt(MOST_CHANGES); i >= 0 && bytes.length > 2; i--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] = SPECIAL[random.nextInt(SPECIAL.length)];
                case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
                default -> {
                    int from = random.nextInt(bytes.length);
                    int n = Math.min(random.nextInt(16), bytes.length - Math.max(at, from));
                    System.arraycopy(bytes, from, bytes, at, n);
                }
            }
        }
        return bytes;
    }

    private void fuzz(String name, byte[] sound, Reader reader) throws IOException {
        var random = new Random(20);
        int refused = 0;
        for (int i = 0; i < ROUNDS; i++) {
            byte[] bytes = damaged(sound, random);
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
