package ai.luciferai.llama.gpu;

import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.Device;
import ai.luciferai.llama.Devices;
import ai.luciferai.llama.Embedder;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.GpuLayers;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.Session;
import ai.luciferai.llama.TrainingRun;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What is asked of the library itself, in a process of its own; prints one JSON object. */
public final class Probe {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final GenerateOptions GREEDY = GenerateOptions.defaults().withMaxTokens(48).withSampling(Sampling.greedy());

    private Probe() {}

    /** {@code Probe answers DATA | cycles MODEL N | memory MODEL | two MODEL MODEL | train MODEL ROWS MODE STEPS PRECISION}. */
    public static void main(String[] args) throws IOException {
        Map<String, Object> found = switch (args[0]) {
            case "answers" -> answers(Path.of(args[1]));
            case "cycles" -> cycles(Path.of(args[1]), Integer.parseInt(args[2]));
            case "memory" -> memory(Path.of(args[1]));
            case "two" -> two(Path.of(args[1]), Path.of(args[2]));
            case "train" -> TrainingProbe.run(Path.of(args[1]), Integer.parseInt(args[2]), args[3].equals("layer"), Integer.parseInt(args[4]),
                    TrainingRun.Precision.valueOf(args[5].toUpperCase(Locale.ROOT)));
            default -> throw new IllegalArgumentException(args[0]);
        };
        System.out.println(JSON.writeValueAsString(found));
    }

    static ModelOptions everything() {
        return ModelOptions.defaults().withGpuLayers(GpuLayers.ALL);
    }

    private static ModelOptions nothing() {
        return ModelOptions.defaults().withGpuLayers(GpuLayers.NONE);
    }

    /** Greedy answers and embeddings of the embedded model on the GPU and on the CPU. */
    private static Map<String, Object> answers(Path data) throws IOException {
        List<String> prompts = new ArrayList<>();
        for (String line : Files.readAllLines(data)) {
            String text = JSON.readTree(line).get("text").textValue();
            prompts.add(text.substring(0, text.indexOf('\n') + 1));
        }
        List<String> there = new ArrayList<>();
        List<String> here = new ArrayList<>();
        List<float[]> vectorsThere;
        List<float[]> vectorsHere;
        try (Model model = Model.embedded(everything(), Progress.NONE, Cancel.NONE)) {
            complete(model, prompts, there);
            vectorsThere = embed(model, prompts);
        }
        try (Model model = Model.embedded(nothing(), Progress.NONE, Cancel.NONE)) {
            complete(model, prompts, here);
            vectorsHere = embed(model, prompts);
        }
        int same = 0;
        double similarity = 1;
        for (int i = 0; i < prompts.size(); i++) {
            same += there.get(i).equals(here.get(i)) ? 1 : 0;
            similarity = Math.min(similarity, Embedder.similarity(vectorsThere.get(i), vectorsHere.get(i)));
        }
        return map("prompts", prompts.size(), "same", same, "lowest_similarity", similarity);
    }

    private static void complete(Model model, List<String> prompts, List<String> answers) {
        try (Session session = model.session(ContextOptions.defaults())) {
            prompts.forEach(p -> answers.add(session.complete(Prompt.text(p), GREEDY).text()));
        }
    }

    private static List<float[]> embed(Model model, List<String> prompts) {
        try (Embedder embedder = model.embedder()) {
            return embedder.embedAll(prompts);
        }
    }

    /** Loads, answers and closes again and again: memory that is lost shows between the second time and the last. */
    private static Map<String, Object> cycles(Path path, int times) {
        long second = 0;
        for (int i = 0; i < times; i++) {
            answerOf(path);
            second = i == 1 ? free() : second;
        }
        return map("cycles", times, "free_after_second_mib", second >> 20, "free_after_last_mib", free() >> 20);
    }

    private static String answerOf(Path path) {
        try (Model model = Model.load(path, everything(), Progress.NONE, Cancel.NONE); Session session = model.session(ContextOptions.defaults())) {
            return answer(session);
        }
    }

    private static String answer(Session session) {
        return session.complete(Prompt.text("Which files are here?"), GREEDY.withIgnoreEos(true)).text();
    }

    private static long free() {
        return Devices.list().stream().filter(Device::isGpu).mapToLong(Device::freeBytes).sum();
    }

    /** A context that no card holds: an exception with a type, and afterwards the memory is free and the model answers. */
    private static Map<String, Object> memory(Path path) {
        try (Model model = Model.load(path, everything(), Progress.NONE, Cancel.NONE)) {
            String before;
            try (Session session = model.session(ContextOptions.defaults())) {
                before = answer(session);
            }
            long free = free();
            String fault = "none";
            try (Session session = model.session(ContextOptions.defaults().withContextSize(1_000_000_000 / 256 * 256))) {
                fault = "none: " + session.contextSize();
            } catch (BridgeException e) {
                fault = e.getClass().getSimpleName() + ": " + e.getMessage();
            }
            long after = free();
            try (Session session = model.session(ContextOptions.defaults())) {
                return map("fault", fault, "lost_mib", (free - after) >> 20, "same_answer", answer(session).equals(before));
            }
        }
    }

    /** Two models on the card at once answer as each alone. */
    private static Map<String, Object> two(Path first, Path second) {
        List<String> alone = List.of(answerOf(first), answerOf(second));
        try (Model a = Model.load(first, everything(), Progress.NONE, Cancel.NONE); Model b = Model.load(second, everything(), Progress.NONE, Cancel.NONE);
                Session s = a.session(ContextOptions.defaults()); Session t = b.session(ContextOptions.defaults())) {
            return map("same", List.of(answer(s), answer(t)).equals(alone));
        }
    }

    static Map<String, Object> map(Object... namesAndValues) {
        return new LinkedHashMap<>(Outcome.of(true, namesAndValues).facts());
    }
}
