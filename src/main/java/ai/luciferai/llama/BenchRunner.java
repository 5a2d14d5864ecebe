package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.Batch;
import ai.luciferai.llama.ffi.ContextHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Measures as llama-bench does: random tokens, the start token first where the model adds one; prompts in batches of which only the
 * last token asks for logits; generation without sampling; a context of exactly the test's size for each test; the memory cleared
 * before each run; one prompt and one generated token to warm up.
 *
 * <p><i>Source</i>: llama.cpp v0.5.0, tools/llama-bench/llama-bench.cpp, test_prompt, test_gen and main.
 */
final class BenchRunner {

    private static final int SEQUENCE = 0;
    private static final double NANOS_PER_SECOND = 1e9;

    private final Model model;
    private final Bench.Request request;
    private final Progress progress;
    private final Cancel cancel;
    private final Random random = new Random(1);
    private int threads;

    BenchRunner(Model model, Bench.Request request, Progress progress, Cancel cancel) {
        this.model = model;
        this.request = request;
        this.progress = progress;
        this.cancel = cancel;
    }

    List<Bench.Result> results() {
        List<Bench.Result> results = new ArrayList<>();
        for (Bench.Test test : request.tests()) {
            results.add(result(test.sized(model.info().contextSize()), results.size()));
        }
        return results;
    }

    private Bench.Result result(Bench.Test test, int index) {
        try (ContextHandle context = context(test.promptTokens() + test.generatedTokens())) {
            context.clear();
            if (request.warmup()) {
                prompt(context, test.promptTokens());
                generate(context, Math.min(1, test.generatedTokens()));
            }
            List<Double> samples = new ArrayList<>();
            for (int i = 0; i < request.repetitions(); i++) {
                samples.add(sample(context, test));
                report((long) index * request.repetitions() + i + 1);
            }
            return new Bench.Result(test, samples, mean(samples), deviation(samples));
        }
    }

    private double sample(ContextHandle context, Bench.Test test) {
        context.clear();
        long start = System.nanoTime();
        prompt(context, test.promptTokens());
        generate(context, test.generatedTokens());
        return (test.promptTokens() + test.generatedTokens()) * NANOS_PER_SECOND / (System.nanoTime() - start);
    }

    private void report(long run) {
        long runs = (long) request.tests().size() * request.repetitions();
        progress.update(new Progress.Event("bench", run, runs, "runs"));
    }

    private void prompt(ContextHandle context, int tokens) {
        if (tokens == 0) {
            return;
        }
        Batch batch = context.batch();
        int position = context.posMax(SEQUENCE) + 1;
        for (int done = 0; done < tokens; ) {
            int n = Math.min(tokens - done, batch.capacity());
            batch.clear();
            for (int i = 0; i < n; i++) {
                batch.add(done == 0 && i == 0 ? first() : any(), position++, SEQUENCE, i == n - 1);
            }
            context.decode(cancel);
            done += n;
        }
        context.synchronize();
    }

    private void generate(ContextHandle context, int tokens) {
        if (tokens == 0) {
            return;
        }
        Batch batch = context.batch();
        int position = context.posMax(SEQUENCE) + 1;
        int token = first();
        for (int i = 0; i < tokens; i++) {
            batch.clear().add(token, position++, SEQUENCE, true);
            context.decode(cancel);
            context.synchronize();
            token = any();
        }
    }

    private int first() {
        ModelInfo.SpecialTokens special = model.info().special();
        return special.addBos() && special.bos() >= 0 ? special.bos() : any();
    }

    private int any() {
        return random.nextInt(model.info().shape().vocabulary());
    }

    private ContextHandle context(int size) {
        ContextHandle context = model.context(ContextSetup.params(request.contextOptions(), size, 1));
        threads = context.description().nThreads();
        return context;
    }

    /** From one prompt token to the next token, in a fresh context, sampling included; 0 without a vocabulary to choose from. */
    double firstTokenMillis() {
        if (!model.info().kind().vocabulary()) {
            return 0;
        }
        ContextOptions options = request.contextOptions().withContextSize(8);
        try (Session session = model.session(options)) {
            GenerateOptions one = GenerateOptions.defaults().withMaxTokens(1).withSampling(Sampling.greedy());
            return session.complete(Prompt.tokens(first()), one, token -> {}, cancel).timings().firstTokenMillis();
        }
    }

    /** Those of the last test, for single tokens. */
    int threads() {
        return threads;
    }

    static double mean(List<Double> samples) {
        return samples.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    }

    static double deviation(List<Double> samples) {
        if (samples.size() < 2) {
            return 0;
        }
        double mean = mean(samples);
        double squares = samples.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum();
        return Math.sqrt(squares / (samples.size() - 1));
    }
}
