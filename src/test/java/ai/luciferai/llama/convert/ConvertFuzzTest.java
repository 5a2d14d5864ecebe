package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.BridgeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mutants of every kind of input file: a conversion succeeds or ends with one of our exceptions, never with anything else. */
class ConvertFuzzTest {

    private static final long SEED = Long.getLong("fuzz.seed", 20260101);
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 25);

    @TempDir
    Path folder;

    @Test
    void mutantsEndInATypedErrorOrSuccess() throws IOException {
        for (String target : List.of("llama-shards/model-00001-of-00002.safetensors", "llama-shards/model.safetensors.index.json",
                "llama-shards/config.json", "llama-shards/tokenizer.model", "llama-shards/tokenizer_config.json", "llama-shards/README.md",
                "llama3-bpe/tokenizer.json", "mixtral-bin/pytorch_model.bin", "gemma2/model.safetensors")) {
            fuzz(target.substring(0, target.indexOf('/')), target.substring(target.indexOf('/') + 1));
        }
    }

    private void fuzz(String fixture, String name) throws IOException {
        Path copy = Fixtures.copy(fixture, folder);
        byte[] good = Files.readAllBytes(copy.resolve(name));
        var random = new Random(SEED ^ name.hashCode());
        for (int round = 0; round < ROUNDS; round++) {
            byte[] mutant = mutant(good, random);
            Files.write(copy.resolve(name), mutant);
            try {
                Fixtures.convert(copy, folder.resolve("out.gguf"), OutputType.F16);
            } catch (BridgeException expected) {
                // typed: the point of the test
            } catch (RuntimeException | StackOverflowError other) {
                throw new AssertionError(fixture + "/" + name + ", seed " + SEED + ", round " + round, other);
            }
        }
        Files.write(copy.resolve(name), good);
    }

    /** Mostly damage near the start, where the tables are. */
    private static byte[] mutant(byte[] good, Random random) {
        byte[] bytes = good.clone();
        int reach = Math.min(bytes.length, random.nextBoolean() ? 4096 : bytes.length);
        switch (random.nextInt(4)) {
            case 0 -> bytes = java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 1 -> {
                for (int i = 0; i < 1 + random.nextInt(4); i++) {
                    bytes[random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            case 2 -> {
                for (int i = 0; i < 1 + random.nextInt(3); i++) {
                    bytes[random.nextInt(reach)] = (byte) "0179\"{}[]-,.:eE \u00FF".charAt(random.nextInt(16));
                }
            }
            default -> {
                int from = random.nextInt(reach);
                int to = random.nextInt(reach);
                int n = Math.min(random.nextInt(64), bytes.length - Math.max(from, to));
                System.arraycopy(good, from, bytes, to, n);
            }
        }
        return bytes;
    }
}
