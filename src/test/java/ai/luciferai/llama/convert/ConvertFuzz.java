package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.hf.JsonObject;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The child process of {@link ConvertFuzzTest}: converts mutants of every kind of input file. Each has to succeed or to end in one of our
 * exceptions. Says on stdout what it is about to do, so that the parent knows which mutant ended it or hangs.
 */
final class ConvertFuzz {

    /** Makes a mutant of a file. */
    private interface Damage {
        byte[] of(byte[] good, Random random) throws IOException;
    }

    private final Path folder;
    private final long seed;
    private final int rounds;
    private final Map<String, Integer> outcomes = new TreeMap<>();
    private int faults;

    private ConvertFuzz(Path folder, long seed, int rounds) {
        this.folder = folder;
        this.seed = seed;
        this.rounds = rounds;
    }

    /** Arguments: an own folder, seed, rounds per kind of file. */
    public static void main(String[] args) throws IOException {
        Logger.getLogger("").setLevel(Level.OFF); // guessed pre-tokenizers are told
        var fuzz = new ConvertFuzz(Path.of(args[0]), Long.parseLong(args[1]), Integer.parseInt(args[2]));
        for (HostileInput input : HostileInput.values()) {
            fuzz.hostile(input);
        }
        fuzz.all();
        if (fuzz.faults == 0) {
            System.out.println("done " + fuzz.outcomes);
        }
    }

    private void all() throws IOException {
        for (String file : List.of("llama-shards/model-00001-of-00002.safetensors", "llama-shards/model.safetensors.index.json", "llama-shards/config.json",
                "llama-shards/tokenizer.model", "llama-shards/tokenizer_config.json", "llama-shards/README.md", "llama3-bpe/tokenizer.json",
                "mixtral-bin/pytorch_model.bin", "gemma2/model.safetensors")) {
            run(file, rounds, ConvertFuzz::anyBytes);
        }
        for (String file : List.of("llama-shards/model.safetensors.index.json", "llama-shards/config.json", "llama-shards/tokenizer_config.json",
                "llama-shards/generation_config.json", "llama3-bpe/tokenizer.json", "llama3-bpe/tokenizer_config.json", "byte-fallback/tokenizer.json",
                "gpt2-bpe/tokenizer.json", "tokenizers/bert/tokenizer.json")) {
            run(file, rounds, JsonMutant::of);
        }
        for (String file : List.of("llama3-bpe/tokenizer.json", "byte-fallback/tokenizer.json", "gpt2-bpe/tokenizer.json", "qwen2-bpe/tokenizer.json")) {
            run(file, 4 * rounds, TokenizerMutant::of);
        }
        run("gemma2/model.safetensors", 10 * rounds, HeaderMutant::of);
        run("llama-shards/model.safetensors.index.json", 6 * rounds, ConvertFuzz::index);
        run("llama-shards/tokenizer.model", 8 * rounds, WireMutant::of);
        Map<String, byte[]> zip = ZipMutant.read(Fixtures.FOLDER.resolve("mixtral-bin/pytorch_model.bin"));
        run("mixtral-bin/pytorch_model.bin", 20 * rounds, (good, random) -> pickleInZip(zip, random));
        run("mixtral-bin/pytorch_model.bin", 12 * rounds, (good, random) -> ZipMutant.of(zip, random));
        run("mixtral-legacy/pytorch_model.bin", 8 * rounds, ConvertFuzz::legacyPickles);
        run("adapters/patterns/adapter_config.json", 4 * rounds, JsonMutant::of);
        run("adapters/llama/adapter_model.safetensors", 4 * rounds, HeaderMutant::of);
        everyArchitecture();
    }

    private void hostile(HostileInput input) throws IOException {
        Path copy = copy(input.fixture());
        input.write(copy);
        String message = convert(copy, input.name(), input.message() != null);
        if (input.message() == null ? message != null : message == null || !message.contains(input.message())) {
            fault(input.name(), new AssertionError(message));
        }
        try (var files = Files.walk(copy)) {
            files.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
    }

    private void run(String target, int count, Damage damage) throws IOException {
        int cut = target.lastIndexOf('/');
        Path copy = copy(target.substring(0, cut));
        Path file = copy.resolve(target.substring(cut + 1));
        byte[] good = Files.readAllBytes(file);
        var random = new Random(seed ^ target.hashCode() ^ count);
        for (int round = 0; round < count; round++) {
            Files.write(file, damage.of(good, random));
            convert(copy, target + ", round " + round + " of " + count, round % 4 > 0);
        }
        Files.write(file, good);
    }

    /** Copy of a fixture, with what it lacks to be a checkpoint. */
    private Path copy(String fixture) throws IOException {
        Path copy = Fixtures.copy(fixture, folder);
        if (fixture.equals("mixtral-legacy")) {
            for (String name : List.of("config.json", "tokenizer.model", "tokenizer_config.json")) {
                Files.write(copy.resolve(name), Files.readAllBytes(Fixtures.FOLDER.resolve("mixtral-bin").resolve(name)));
            }
        }
        if (Files.exists(copy.resolve("adapter_config.json"))) {
            Fixtures.copy("llama-shards", folder);
        } else if (!Files.exists(copy.resolve("config.json"))) {
            Files.copy(Fixtures.FOLDER.resolve("byte-fallback/config.json"), copy.resolve("config.json"));
        }
        return copy;
    }

    private void everyArchitecture() throws IOException {
        JsonObject entries = JsonObject.read(Fixtures.FOLDER.resolve("generated.json"));
        for (String name : entries.values().keySet()) {
            Path checkpoint = folder.resolve("architectures").resolve(name);
            GeneratedCheckpoint.write(entries.requireObject(name), checkpoint);
            Path config = checkpoint.resolve("config.json");
            byte[] good = Files.readAllBytes(config);
            var random = new Random(seed ^ name.hashCode());
            for (int round = 0; round < Math.max(1, rounds / 3); round++) {
                Files.write(config, JsonMutant.of(good, random));
                convert(checkpoint, name + "/config.json, round " + round, round > 0);
            }
        }
    }

    /** Tells the first of them. */
    private void fault(String what, Throwable fault) {
        if (faults++ < 10) {
            System.err.println(what);
            fault.printStackTrace();
        }
    }

    /** Returns the error, or null. */
    private String convert(Path input, String mutant, boolean planOnly) {
        String what = "seed " + seed + ": " + mutant;
        System.out.println(what);
        long start = System.nanoTime();
        String message = null;
        String outcome = "converted";
        try {
            Path out = folder.resolve("out.gguf");
            Path base = Files.exists(input.resolve("adapter_config.json")) ? folder.resolve("llama-shards") : null;
            Conversion.run(new Converter.Request(input, out, OutputType.F16, null, null, null, null, base, false, 0, planOnly, true),
                    ai.luciferai.llama.core.Progress.NONE, ai.luciferai.llama.core.Cancel.NONE);
        } catch (BridgeException expected) {
            outcome = expected.getClass().getSimpleName();
            message = expected.getMessage();
            if (message.length() > 20_000) {
                fault(what, new AssertionError("a message of " + message.length() + " characters"));
            }
        } catch (IOException | RuntimeException | Error other) {
            fault(what, other);
            outcome = "fault";
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        if (millis > 1000) {
            System.err.println(what + ": " + millis + " ms");
        }
        outcomes.merge(outcome, 1, Integer::sum);
        return message;
    }

    // --- damage --------------------------------------------------------------------------------------------------------

    /** Mostly near the start, where the tables are. */
    private static byte[] anyBytes(byte[] good, Random random) {
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

    private static byte[] pickleInZip(Map<String, byte[]> zip, Random random) {
        var entries = new LinkedHashMap<>(zip);
        String name = entries.keySet().stream().filter(n -> n.endsWith("/data.pkl")).findFirst().orElseThrow();
        entries.put(name, PickleMutant.of(entries.get(name), random));
        return ZipMutant.write(entries);
    }

    /** One of the five pickles of the old format, or the counts in front of its storages. */
    private static byte[] legacyPickles(byte[] good, Random random) {
        int victim = random.nextInt(6);
        int at = 0;
        var out = new NumberedBytes();
        for (int i = 0; i < 5; i++) {
            byte[] pickle = PickleMutant.join(PickleMutant.parse(good, at));
            at += pickle.length;
            out.raw(i == victim ? PickleMutant.of(pickle, random) : pickle);
        }
        out.number(0, 0).raw(Arrays.copyOfRange(good, at, good.length));
        byte[] bytes = out.bytes();
        if (victim == 5) {
            bytes[at + random.nextInt(8)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    /** Shards that are elsewhere, nowhere, no files, or somebody else's. */
    private static byte[] index(byte[] good, Random random) throws IOException {
        var json = new JsonMapper();
        @SuppressWarnings("unchecked") // Jackson's own maps
        Map<String, Object> root = json.readValue(good, LinkedHashMap.class);
        @SuppressWarnings("unchecked")
        var map = (Map<String, Object>) root.get("weight_map");
        String[] names = {"", ".", "..", "/", "../config.json", "/etc/passwd", "config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
            "./model-00001-of-00002.safetensors", "x/../model-00001-of-00002.safetensors", "model-00003-of-00002.safetensors", "\0", "a".repeat(5000), "tokenizer.model",
            "model.safetensors.index.json", "nul\0nul.safetensors", "C:\\x"};
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            var keys = List.copyOf(map.keySet());
            String key = keys.get(random.nextInt(keys.size()));
            switch (random.nextInt(4)) {
                case 0 -> map.put("new" + i, map.get(key));
                case 1 -> map.remove(key);
                default -> map.put(key, TokenizerMutant.pick(names, random));
            }
            if (map.isEmpty()) {
                break;
            }
        }
        var out = new ByteArrayOutputStream();
        json.writeValue(out, root);
        return out.toByteArray();
    }
}
