package ai.luciferai.llama.bench;

import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.Session;
import java.nio.file.Path;

/** What {@code src/test/bench/Kherud.java} does, with this library: load once, then generate 128 tokens a few times. */
public final class Answering {

    private Answering() {}

    /** {@code Answering MODEL RUNS}; prints milliseconds to load, then tokens per second of each run. */
    public static void main(String[] args) {
        var options = GenerateOptions.defaults().withMaxTokens(128).withSampling(Sampling.greedy()).withIgnoreEos(true)
                .withReusePrefix(false);
        long start = System.nanoTime();
        try (Model model = Model.load(Path.of(args[0]));
                Session session = model.session(ContextOptions.defaults().withContextSize(512).withThreads(2))) {
            System.out.printf("load_ms %.1f%n", (System.nanoTime() - start) / 1e6);
            for (int i = -1; i < Integer.parseInt(args[1]); i++) {
                long t = System.nanoTime();
                session.complete(Prompt.text("list files in src directory\n"), options);
                if (i >= 0) {
                    System.out.printf("tok_s %.2f%n", 128 * 1e9 / (System.nanoTime() - t));
                }
            }
        }
    }
}
