package ai.luciferai.llama.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prompt and generation speed against llama-bench. A machine that others share is faster in one second and slower in the next, by more than
 * what is looked for: so both programs run at once and take turns of {@link #TURN_MILLIS}, in which the other is stopped.
 */
public final class Speed {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TURN_MILLIS = 400;

    /** Of the median: a slower run is one in which the program was stopped. */
    private static final double UNINTERRUPTED = 0.7;

    private Speed() {}

    /** {@code Speed LLAMA_BENCH LAUNCHER MODEL THREADS ROUNDS RUNS PROMPT GENERATED}; a run should be much shorter than a turn. */
    public static void main(String[] args) throws IOException, InterruptedException {
        String model = args[2];
        int rounds = Integer.parseInt(args[4]);
        String[] what = {"-m", model, "-t", args[3], "-r", args[5], "-p", args[6], "-n", args[7]};
        Map<String, List<Double>> theirs = new LinkedHashMap<>();
        Map<String, List<Double>> ours = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            List<String> printed = Run.inTurn(TURN_MILLIS, List.of(words(args[0], what, "-o", "json"), words(args[1], "bench", what, "--json")));
            collect(printed.get(0), theirs);
            collect(printed.get(1), ours);
        }
        System.out.printf("%n%s, %s threads, medians of %d rounds of %s runs%n%n", Path.of(model).getFileName(), args[3], rounds, args[5]);
        System.out.println("| test | llama-bench, tok/s | lucifer-llama bench, tok/s | ratio | of the rounds | difference per token, µs |");
        System.out.println("| --- | ---: | ---: | ---: | --- | ---: |");
        theirs.forEach((test, medians) -> print(test, medians, ours.get(test)));
    }

    private static List<String> words(String program, Object... words) {
        List<String> all = new ArrayList<>(List.of(program));
        for (Object word : words) {
            all.addAll(word instanceof String[] several ? List.of(several) : List.of((String) word));
        }
        return all;
    }

    private static void print(String test, List<Double> theirs, List<Double> ours) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < theirs.size(); i++) {
            ratios.add(ours.get(i) / theirs.get(i));
        }
        double them = Run.median(theirs);
        double us = Run.median(ours);
        ratios.sort(null);
        System.out.printf("| %s | %.1f | %.1f | %.3f | %.3f to %.3f | %.1f |%n", test, them, us, Run.median(ratios), ratios.getFirst(),
                ratios.getLast(), 1e6 / us - 1e6 / them);
    }

    /** Both print llama-bench's JSON. Adds the round's median of each test. */
    private static void collect(String json, Map<String, List<Double>> medians) throws IOException {
        for (JsonNode test : JSON.readTree(json)) {
            String name = test.get("n_gen").asInt() == 0 ? "pp" + test.get("n_prompt") : "tg" + test.get("n_gen");
            List<Double> all = new ArrayList<>();
            test.get("samples_ts").forEach(s -> all.add(s.asDouble()));
            double most = Run.median(all);
            medians.computeIfAbsent(name, n -> new ArrayList<>())
                    .add(Run.median(all.stream().filter(s -> s > UNINTERRUPTED * most).toList()));
        }
    }
}
