package ai.luciferai.llama;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/** Reads what {@code src/test/fixtures/make_goldens.py} recorded from llama.cpp's own tools. */
final class Goldens {

    private static final ObjectMapper JSON = new ObjectMapper();

    private Goldens() {}

    static Path fixture(String name) {
        return Path.of(System.getProperty("basedir", "."), "src", "test", "fixtures").resolve(name);
    }

    static Path adapter() {
        return fixture("lora/tiny-lora.gguf");
    }

    /** A program that the native build put beside the libraries. */
    static Path program(String name) {
        Path program = placeOf(name);
        if (!Files.isExecutable(program)) {
            throw new AssertionError("no program " + program + ": the native build makes it");
        }
        return program;
    }

    static boolean has(String program) {
        return Files.isExecutable(placeOf(program));
    }

    private static Path placeOf(String program) {
        Path folder = Path.of(System.getProperty("ai.luciferai.llama.native", Path.of(System.getProperty("basedir", "."),
                "build", "native", "dev", "lib").toString()));
        return folder.resolve(System.getProperty("os.name").startsWith("Windows") ? program + ".exe" : program);
    }

    /** The start of a command that runs a class of this build, with this test's libraries, in a JVM of its own. */
    static List<String> java() {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path")));
        for (String property : List.of("ai.luciferai.llama.native", "basedir")) {
            if (System.getProperty(property) != null) {
                command.add("-D" + property + "=" + System.getProperty(property));
            }
        }
        return command;
    }

    /** The source of llama.cpp that the native build used. */
    static Path upstreamSource() throws IOException {
        String key = "llama.cpp_SOURCE_DIR:STATIC=";
        return Files.readAllLines(program("lucifer-reference").getParent().resolveSibling("CMakeCache.txt")).stream()
                .filter(line -> line.startsWith(key)).map(line -> Path.of(line.substring(key.length()))).findFirst().orElseThrow();
    }

    /** The records of a file of JSON lines. */
    static List<JsonNode> read(String name) {
        try {
            return Files.readAllLines(fixture(name)).stream().map(Goldens::parse).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the program {@code reference.cpp} says on one thread. */
    static JsonNode reference(Path model, int[] prompt, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(program("lucifer-reference").toString(), "-m", model.toString(), "-t", "1"));
        command.addAll(List.of(options));
        command.add(IntStream.of(prompt).mapToObj(Integer::toString).collect(Collectors.joining(",")));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(command + ": " + out);
        }
        return parse(out);
    }

    static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new UncheckedIOException(json, e);
        }
    }

    static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToInt(JsonNode::asInt).toArray();
    }

    /**
     * The model's own context size, as llama-completion was run, and one thread: results do not depend on their number, and on a
     * busy machine several threads that wait for each other after every operation are a hundred times slower.
     */
    static ContextOptions context() {
        return ContextOptions.defaults().withContextSize(ContextOptions.MODEL_SIZE).withThreads(1);
    }

    /** Weights on the CPU, where the goldens were computed. */
    static ModelOptions onCpu() {
        return ModelOptions.defaults().withGpuLayers(GpuLayers.NONE);
    }

    static GenerateOptions greedy(JsonNode golden) {
        return GenerateOptions.defaults().withMaxTokens(golden.get("max_tokens").asInt()).withSampling(Sampling.greedy());
    }

    /** The settings of one record of sampled.jsonl or grammar.jsonl, whose names are those of make_goldens.py. */
    static GenerateOptions sampled(JsonNode golden) {
        JsonNode s = golden.get("sampling");
        Sampling d = Sampling.defaults();
        Map<Integer, Float> bias = new HashMap<>();
        s.path("logit_bias").forEach(pair -> bias.put(pair.get(0).asInt(), (float) pair.get(1).asDouble()));
        Sampling sampling = d.withSeed(golden.get("seed").asLong())
                .withTemperature(number(s, "temperature", d.temperature()))
                .withTruncation(new Sampling.Truncation(s.path("top_k").asInt(d.truncation().topK()),
                        number(s, "top_p", d.truncation().topP()), number(s, "min_p", d.truncation().minP()),
                        number(s, "typical_p", d.truncation().typicalP()),
                        number(s, "top_n_sigma", d.truncation().topNSigma())))
                .withDynamic(new Sampling.DynamicTemperature(number(s, "dynatemp_range", 0), number(s, "dynatemp_exponent", 1)))
                .withXtc(new Sampling.Xtc(number(s, "xtc_probability", 0), number(s, "xtc_threshold", 0.1f)))
                .withPenalties(new Sampling.Penalties(s.path("penalty_last_n").asInt(d.penalties().lastN()),
                        number(s, "repeat_penalty", 1), number(s, "frequency_penalty", 0), number(s, "presence_penalty", 0)))
                .withDry(new Sampling.Dry(number(s, "dry_multiplier", 0), number(s, "dry_base", d.dry().base()),
                        s.path("dry_allowed_length").asInt(d.dry().allowedLength()), d.dry().lastN(), List.of()))
                .withMirostat(new Sampling.Mirostat(s.path("mirostat").asInt(0), number(s, "mirostat_tau", d.mirostat().tau()),
                        number(s, "mirostat_eta", d.mirostat().eta())))
                .withLogitBias(bias);
        GenerateOptions options = GenerateOptions.defaults().withMaxTokens(golden.get("max_tokens").asInt())
                .withSampling(sampling).withIgnoreEos(s.path("ignore_eos").asBoolean(false));
        return golden.has("grammar") ? options.withGrammar(Grammar.gbnf(golden.get("grammar").asText()))
                : golden.has("json_schema") ? options.withJsonSchema(golden.get("json_schema").asText()) : options;
    }

    private static float number(JsonNode object, String key, float otherwise) {
        return (float) object.path(key).asDouble(otherwise);
    }

    /** What a failure needs to be looked into: the command that gave the golden. */
    static String command(JsonNode golden) {
        return golden.path("command").asText();
    }
}
