package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The verb {@code bench}: tokens per second as llama-bench defines them. */
public final class Bench {

    private Bench() {}

    /**
     * One test: a prompt of random tokens, then tokens one by one.
     *
     * @param promptTokens    0: none, or {@link #AUTO}
     * @param generatedTokens 0: none, or {@link #AUTO}
     */
    public record Test(int promptTokens, int generatedTokens) {

        /** {@value #PROMPT} for a prompt, {@value #GENERATED} to generate, or what the model was trained with when that is less. */
        public static final int AUTO = -1;

        static final int PROMPT = 512;
        static final int GENERATED = 128;

        public Test {
            Check.atLeast("prompt tokens", promptTokens, AUTO);
            Check.atLeast("generated tokens", generatedTokens, AUTO);
            Check.require(promptTokens != 0 || generatedTokens != 0, "bench test", "at least one token", "0 and 0");
        }

        /** The same with numbers for a model that was trained with so many tokens, 0: not known. */
        Test sized(int trained) {
            return new Test(sized(promptTokens, PROMPT, trained), sized(generatedTokens, GENERATED, trained));
        }

        private static int sized(int wanted, int usual, int trained) {
            return wanted != AUTO ? wanted : trained > 0 ? Math.min(usual, trained) : usual;
        }

        /** llama-bench's name: {@code pp512}, {@code tg128}, {@code pp512+tg128}. */
        public String name() {
            return promptTokens == 0 ? "tg" + generatedTokens
                    : generatedTokens == 0 ? "pp" + promptTokens : "pp" + promptTokens + "+tg" + generatedTokens;
        }
    }

    /**
     * What to measure.
     *
     * @param model       the file; empty: the embedded model
     * @param tests       in order
     * @param repetitions runs that count
     * @param warmup      whether a run that does not count precedes each test
     */
    public record Request(Optional<Path> model, ModelOptions modelOptions, ContextOptions contextOptions, List<Test> tests,
            int repetitions, boolean warmup) {

        public Request {
            tests = List.copyOf(tests);
            Check.require(!tests.isEmpty(), "bench tests", "at least one", "none");
            Check.atLeast("repetitions", repetitions, 1);
        }

        /** llama-bench's defaults: pp512, tg128, five repetitions. */
        public static Request defaults() {
            return new Request(Optional.empty(), ModelOptions.defaults(), ContextOptions.defaults(),
                    List.of(new Test(Test.AUTO, 0), new Test(0, Test.AUTO)), 5, true);
        }

        public Request withModel(Path v) {
            return new Request(Optional.of(v), modelOptions, contextOptions, tests, repetitions, warmup);
        }

        public Request withModelOptions(ModelOptions v) {
            return new Request(model, v, contextOptions, tests, repetitions, warmup);
        }

        public Request withContextOptions(ContextOptions v) {
            return new Request(model, modelOptions, v, tests, repetitions, warmup);
        }

        public Request withTests(List<Test> v) {
            return new Request(model, modelOptions, contextOptions, v, repetitions, warmup);
        }

        public Request withRepetitions(int v) {
            return new Request(model, modelOptions, contextOptions, tests, v, warmup);
        }

        public Request withWarmup(boolean v) {
            return new Request(model, modelOptions, contextOptions, tests, repetitions, v);
        }
    }

    /**
     * Result of one test.
     *
     * @param samples tokens per second of each run
     * @param mean    of the samples
     * @param deviation of the samples, with n - 1; 0 for one run
     */
    public record Result(Test test, List<Double> samples, double mean, double deviation) {

        public Result {
            samples = List.copyOf(samples);
        }
    }

    /**
     * What was measured.
     *
     * @param devices          where it ran: "CPU", "CUDA"
     * @param threads          for single tokens
     * @param loadMillis       until the model was ready
     * @param firstTokenMillis from a prompt of one token to the next token, in a fresh context; 0 without a vocabulary
     * @param peakMemoryBytes  most memory that the process held; -1: this system does not tell
     */
    public record Report(Request request, ModelInfo model, List<String> devices, int threads, List<Result> results,
            double loadMillis, double firstTokenMillis, long peakMemoryBytes) {

        public Report {
            devices = List.copyOf(devices);
            results = List.copyOf(results);
        }
    }

    /**
     * Runs it.
     *
     * @param progress hears of the phases "load" and "bench", the latter in runs
     */
    public static Report run(Request request, Progress progress, Cancel cancel) {
        long start = System.nanoTime();
        try (Model model = Generate.open(request.model(), request.modelOptions(), progress, cancel)) {
            double loadMillis = (System.nanoTime() - start) / 1e6;
            BenchRunner runner = new BenchRunner(model, request, Progress.guarded(progress), cancel);
            double firstTokenMillis = runner.firstTokenMillis();
            List<Result> results = runner.results();
            return new Report(request, model.info(), deviceNames(model), runner.threads(), results, loadMillis, firstTokenMillis,
                    PeakMemory.bytes());
        }
    }

    private static List<String> deviceNames(Model model) {
        List<String> gpus = Devices.list().stream().filter(Device::isGpu).map(Device::backend).distinct().toList();
        return gpus.isEmpty() || model.info().gpuLayers() == 0 ? List.of("CPU") : gpus;
    }
}
