package ai.luciferai.llama.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Prompt and generation speed against llama-bench: the two run in turn, and the medians of all samples are compared. */
public final class Speed {

    private static final ObjectMapper JSON = new ObjectMapper();

    private Speed() {}

    /** {@code Speed LLAMA_BENCH LAUNCHER MODEL THREADS ROUNDS REPETITIONS} */
    public static void main(String[] args) throws IOException, InterruptedException {
        String model = args[2];
        int rounds = Integer.parseInt(args[4]);
        Map<String, List<Double>> theirs = new LinkedHashMap<>();
        Map<String, List<Double>> ours = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            collect(Run.output(args[0], "-m", model, "-t", args[3], "-r", args[5], "-o", "json"), theirs);
            collect(Run.output(args[1], "bench", "-m", model, "-t", args[3], "-r", args[5], "--json"), ours);
        }
        System.out.printf("%n%s, %s threads, %d rounds in turn, %s runs each%n%n", Path.of(model).getFileName(), args[3], rounds, args[5]);
        System.out.println("| test | | llama-bench, tok/s | lucifer-llama bench, tok/s | ratio | difference per token, µs |");
        System.out.println("| --- | --- | ---: | ---: | ---: | ---: |");
        theirs.forEach((test, samples) -> {
            print(test, "median", Run.median(samples), Run.median(ours.get(test)));
            print(test, "best", Collections.max(samples), Collections.max(ours.get(test)));
        });
    }

    private static void print(String test, String which, double theirs, double ours) {
        System.out.printf("| %s | %s | %.1f | %.1f | %.3f | %.1f |%n", test, which, theirs, ours, ours / theirs, 1e6 / ours - 1e6 / theirs);
    }

    /** Both print llama-bench's JSON. */
    private static void collect(String json, Map<String, List<Double>> samples) throws IOException {
        for (JsonNode test : JSON.readTree(json)) {
            String name = test.get("n_gen").asInt() == 0 ? "pp" + test.get("n_prompt") : "tg" + test.get("n_gen");
            test.get("samples_ts").forEach(s -> samples.computeIfAbsent(name, n -> new ArrayList<>()).add(s.asDouble()));
        }
    }
}
