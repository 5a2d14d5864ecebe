package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mutants of every kind of input file: a conversion succeeds or ends with one of our exceptions, never with anything else. */
class ConvertFuzzTest {

    private static final long SEED = Long.getLong("fuzz.seed", 20260101);
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 25);

    /** What one thread may allocate for one of these inputs, which have some 100 kB. */
    private static final long MOST_BYTES = 1L << 30;
    private static final long MOST_NANOS = 60_000_000_000L;

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
            Files.write(copy.resolve(name), mutant(good, random));
            check(copy, fixture + "/" + name + ", seed " + SEED + ", round " + round);
        }
        Files.write(copy.resolve(name), good);
    }

    /** JSON whose values are not what they should be, which damaged bytes seldom give. */
    @Test
    void oddValuesEndInATypedErrorOrSuccess() throws IOException {
        for (String target : List.of("llama-shards/model.safetensors.index.json", "llama-shards/config.json", "llama-shards/tokenizer_config.json",
                "llama-shards/generation_config.json", "llama3-bpe/tokenizer.json", "llama3-bpe/tokenizer_config.json", "byte-fallback/tokenizer.json",
                "tokenizers/bert/tokenizer.json", "gpt2-bpe/tokenizer.json")) {
            int cut = target.lastIndexOf('/');
            Path copy = Fixtures.copy(target.substring(0, cut), folder);
            if (!Files.exists(copy.resolve("config.json"))) {
                Files.copy(Fixtures.FOLDER.resolve("byte-fallback/config.json"), copy.resolve("config.json"));
            }
            fuzzJson(copy, target.substring(cut + 1), ROUNDS, new Random(SEED ^ target.hashCode()));
        }
    }

    @Test
    void oddConfigurationsOfEveryArchitectureEndInATypedErrorOrSuccess() throws IOException {
        JsonObject entries = JsonObject.read(Fixtures.FOLDER.resolve("generated.json"));
        for (String name : entries.values().keySet()) {
            Path checkpoint = folder.resolve(name);
            GeneratedCheckpoint.write(entries.requireObject(name), checkpoint);
            fuzzJson(checkpoint, "config.json", Math.max(1, ROUNDS / 6), new Random(SEED ^ name.hashCode()));
        }
    }

    @Test
    void oddSafetensorsHeadersEndInATypedErrorOrSuccess() throws IOException {
        Path copy = Fixtures.copy("gemma2", folder);
        byte[] good = Files.readAllBytes(copy.resolve("model.safetensors"));
        int length = ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getInt();
        var random = new Random(SEED);
        for (int round = 0; round < 4 * ROUNDS; round++) {
            byte[] header = JsonMutant.of(Arrays.copyOfRange(good, 8, 8 + length), random);
            var out = new ByteArrayOutputStream();
            out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
            out.writeBytes(header);
            out.write(good, 8 + length, good.length - 8 - length);
            Files.write(copy.resolve("model.safetensors"), out.toByteArray());
            check(copy, "header, seed " + SEED + ", round " + round);
        }
    }

    private void fuzzJson(Path copy, String name, int rounds, Random random) throws IOException {
        byte[] good = Files.readAllBytes(copy.resolve(name));
        for (int round = 0; round < rounds; round++) {
            byte[] mutant = JsonMutant.of(good, random);
            Files.write(copy.resolve(name), mutant);
            check(copy, copy.getFileName() + "/" + name + ", seed " + SEED + ", round " + round);
        }
        Files.write(copy.resolve(name), good);
    }

    /** A mutant ends soon, needs no memory to speak of, and throws what a caller expects if anything. */
    private void check(Path input, String what) {
        var thread = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long start = System.nanoTime();
        long before = thread.getCurrentThreadAllocatedBytes();
        try {
            Fixtures.convert(input, folder.resolve("out.gguf"), OutputType.F16);
        } catch (BridgeException expected) {
            // typed: the point of the test
        } catch (IOException | RuntimeException | Error other) {
            throw new AssertionError(what, other);
        }
        long bytes = thread.getCurrentThreadAllocatedBytes() - before;
        assertTrue(bytes < MOST_BYTES, () -> what + " took " + bytes + " bytes");
        assertTrue(System.nanoTime() - start < MOST_NANOS, () -> what + " took too long");
    }

    /** Mostly damage near the start, where the tables are. */
    private static byte[] mutant(byte[] good, Random random) {
        byte[] bytes = good.clone();
        int reach = Math.min(bytes.length, random.nextBoolean() ? 4096 : bytes.length);
        switch (random.nextInt(4)) {
            case 0 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
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
