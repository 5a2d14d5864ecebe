package ai.luciferai.llama.gpu;

import ai.luciferai.llama.bench.RandomModel;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The steps, in the order of their importance. One that fails or takes too long is told and passed over; the names of those that are
 * wanted may be given.
 */
public final class GpuCheck {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Largest divergence, in nats a token, of the GPU's predictions from the CPU's. */
    private static final double DIVERGENCE = 1e-3;

    private final Path kit;
    private final Path out;
    private final Path models;
    private final boolean gpu;
    private final boolean full;
    private final String python;
    private final Results results;
    private final GpuMemory memory = GpuMemory.watch();
    private final long end;
    private final List<String> wanted;
    private Programs run;

    @FunctionalInterface
    private interface Step {
        Outcome run() throws IOException, InterruptedException;
    }

    private GpuCheck(String[] args) throws IOException {
        kit = Path.of(args[0]).toAbsolutePath();
        out = Path.of(args[1]).toAbsolutePath();
        models = Files.createDirectories(Path.of(System.getenv().getOrDefault("GPU_CHECK_MODELS", out.resolve("models").toString())));
        end = System.nanoTime() + (long) (Double.parseDouble(args[2]) * 60e9);
        python = System.getenv().getOrDefault("GPU_CHECK_PYTHON", "");
        gpu = memory.used() > 0 || !command("nvidia-smi", "-L").isEmpty();
        full = !"small".equals(System.getenv("GPU_CHECK_SIZE"));
        wanted = List.of(args).subList(3, args.length);
        var machine = new LinkedHashMap<String, Object>();
        machine.put("date", LocalDate.now().toString());
        machine.put("card", gpu ? command("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader") : "none");
        machine.put("processors", Runtime.getRuntime().availableProcessors());
        machine.put("cpu", Files.lines(Path.of("/proc/cpuinfo")).filter(l -> l.startsWith("model name")).findFirst().orElse("").replaceAll(".*: ", ""));
        results = new Results(out, machine);
    }

    /** {@code GpuCheck KIT OUT MINUTES [STEP]...} */
    public static void main(String[] args) throws IOException, InterruptedException {
        new GpuCheck(args).run();
        System.exit(0);
    }

    private void run() throws IOException, InterruptedException {
        step("devices", 30, this::devices);
        step("doctor", 30, () -> ended(run.ours("doctor")));
        step("answers", 60, this::answers);
        step("models", 120, this::makeModels);
        step("bench-1b-q4", 60, () -> bench("1b-q4_k_m"));
        step("bench-8b-q4", 90, () -> bench("8b-q4_k_m"));
        step("train-1b-bf16", 60, () -> train("1b-bf16", "large", "auto"));
        step("train-8b-bf16", 100, () -> train("8b-bf16", "llama-8b", "auto"));
        step("train-8b-q4", 60, () -> train("8b-q4_k_m", "", "auto"));
        step("finetune", 90, this::finetune);
        step("divergence", 90, this::divergence);
        step("perplexity", 60, this::perplexity);
        step("bench-8b-bf16", 60, () -> bench("8b-bf16"));
        step("bench-moe-q4", 60, () -> bench("moe-q4_k_m"));
        step("memory", 60, () -> probe(f -> f.get("fault").asText().contains("Exception") && f.get("lost_mib").asLong() < 64
                && f.get("same_answer").asBoolean(), "memory", model("1b-q4_k_m")));
        step("cycles", 90, () -> probe(f -> f.get("free_after_second_mib").asLong() - f.get("free_after_last_mib").asLong() < 64,
                "cycles", model("1b-q4_k_m"), full ? "50" : "3"));
        step("two-models", 60, () -> probe(f -> f.get("same").asBoolean(), "two", model("1b-q4_k_m"), model("1b-bf16")));
        step("ctrl-c", 60, this::interrupt);
        step("no-gpu", 30, this::noGpu);
        step("two-processes", 60, this::twoProcesses);
        step("auto-layers", 90, this::autoLayers);
        step("imatrix", 60, this::imatrix);
        step("train-1b-bf16-in-f32", 60, () -> train("1b-bf16", "", "f32"));
        step("quantize", 90, this::quantize);
        step("export-lora", 60, this::exportLora);
    }

    private void step(String name, double limit, Step body) throws IOException, InterruptedException {
        if (!wanted.isEmpty() && !wanted.contains(name)) {
            return;
        }
        double left = (end - System.nanoTime()) / 1e9;
        if (left < 5) {
            results.add(name, "not reached", 0, 0, Map.of());
            return;
        }
        long begin = System.nanoTime();
        memory.takePeak();
        Path log = out.resolve("log-" + name + ".txt");
        run = new Programs(kit, log, begin + (long) (Math.min(limit, left) * 1e9), Map.of("LUCIFER_LLAMA_AOT", "off"));
        Outcome outcome;
        String verdict;
        try {
            outcome = body.run();
            verdict = outcome.good() ? "ok" : "FELL SHORT";
        } catch (IOException | RuntimeException fault) {
            outcome = Outcome.of(false, "fault", fault.toString());
            verdict = "FAILED";
            Files.writeString(log, fault.toString(), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
        results.add(name, verdict, (System.nanoTime() - begin) / 1e9, memory.takePeak(), outcome.facts());
    }

    private String model(String name) {
        return models.resolve(name + ".gguf").toString();
    }

    private static Outcome ended(Programs.Run run) {
        return Outcome.of(run.code() == 0, "exit", run.code());
    }

    private Outcome devices() throws IOException, InterruptedException {
        String text = run.ours("devices").text();
        return Outcome.of(!gpu || text.contains("CUDA0"), "devices", text.lines().skip(1).map(l -> l.strip().replaceAll("\\s+", " ")).toList());
    }

    private Outcome answers() throws IOException, InterruptedException {
        return probe(f -> f.get("same").asInt() == f.get("prompts").asInt() && f.get("lowest_similarity").asDouble() > 0.999, "answers", data("git-test.jsonl"));
    }

    private String data(String name) {
        return kit.resolve("data").resolve(name).toString();
    }

    private Outcome probe(Predicate<JsonNode> good, String... words) throws IOException, InterruptedException {
        JsonNode found = JSON.readTree(run.java(Probe.class, words).text());
        return new Outcome(good.test(found), facts(found));
    }

    private static Map<String, Object> facts(JsonNode found) {
        var facts = new LinkedHashMap<String, Object>();
        found.properties().forEach(e -> facts.put(e.getKey(), e.getValue()));
        return facts;
    }

    /** Of the real shapes; {@code GPU_CHECK_SIZE=small}: of one with 100 million parameters, so that every step can be rehearsed. */
    private Outcome makeModels() throws IOException, InterruptedException {
        long begin = System.nanoTime();
        var made = new ArrayList<Thread>();
        for (String[] m : new String[][] {{"1b-bf16", "large", "bf16"}, {"1b-q4_k_m", "large", "q4_k_m"}, {"8b-q4_k_m", "llama-8b", "q4_k_m"},
                {"moe-q4_k_m", "qwen3-moe", "q4_k_m"}, {"8b-bf16", "llama-8b", "bf16"}}) {
            made.add(Thread.ofPlatform().start(() -> {
                try {
                    RandomModel.main(new String[] {model(m[0]), full ? m[1] : "small", full || m[2].equals("q4_k_m") ? m[2] : "q8_0"});
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }));
        }
        for (Thread thread : made) {
            thread.join();
        }
        long bytes = 0;
        for (String name : List.of("1b-bf16", "1b-q4_k_m", "8b-q4_k_m", "moe-q4_k_m", "8b-bf16")) {
            bytes += Files.size(Path.of(model(name)));
        }
        return Outcome.of(true, "GB", Outcome.round(bytes / 1e9), "GB_per_s", Outcome.round(bytes / 1.0 / (System.nanoTime() - begin)));
    }

    /** Beside llama-bench with the number of threads that is best for it there, where a second one only waits; ours chooses. */
    private Outcome bench(String name) throws IOException, InterruptedException {
        String layers = gpu ? "99" : "0";
        String[] threads = gpu ? new String[] {"-t", "1"} : new String[0];
        String[] tests = full ? new String[] {"512", "128"} : new String[] {"64", "16"};
        var samples = new LinkedHashMap<String, List<Double>>();
        double load = 0;
        for (int round = 0; round < 2; round++) { // in turn: a card's clock changes with its load
            collect("their", JSON.readTree(run.upstream("llama-bench", concat(threads, "-m", model(name), "-ngl", layers, "-p", tests[0],
                    "-n", tests[1], "-r", "6", "-o", "json")).text()), samples);
            JsonNode ours = JSON.readTree(run.ours("bench", "-m", model(name), "-ngl", gpu ? "all" : "0", "-p", tests[0],
                    "-n", tests[1], "-r", "6", "--json").text());
            collect("our", ours, samples);
            load = ours.get(0).get("load_ms").asDouble();
        }
        double prompts = median(samples.get("our_pp")) / median(samples.get("their_pp"));
        double generation = median(samples.get("our_tg")) / median(samples.get("their_tg"));
        return Outcome.of(prompts >= 0.97 && generation >= 0.99, "pp_ours", Outcome.round(median(samples.get("our_pp"))),
                "pp_llama_bench", Outcome.round(median(samples.get("their_pp"))), "pp_ratio", Outcome.round(prompts),
                "tg_ours", Outcome.round(median(samples.get("our_tg"))), "tg_llama_bench", Outcome.round(median(samples.get("their_tg"))),
                "tg_ratio", Outcome.round(generation), "load_ms", Outcome.round(load));
    }

    private static String[] concat(String[] first, String... second) {
        return Stream.concat(Stream.of(first), Stream.of(second)).toArray(String[]::new);
    }

    private static void collect(String whose, JsonNode tests, Map<String, List<Double>> samples) {
        for (JsonNode test : tests) {
            var list = samples.computeIfAbsent(whose + (test.get("n_gen").asInt() == 0 ? "_pp" : "_tg"), k -> new ArrayList<>());
            test.get("samples_ts").forEach(s -> list.add(s.asDouble()));
        }
    }

    private static double median(List<Double> samples) {
        List<Double> sorted = samples.stream().sorted().toList();
        return (sorted.get((sorted.size() - 1) / 2) + sorted.get(sorted.size() / 2)) / 2;
    }

    /** Beside PEFT in BF16 with gradient checkpointing where the shape is named and python3 has it. */
    private Outcome train(String name, String peft, String precision) throws IOException, InterruptedException {
        String rows = full ? "2048" : "64";
        JsonNode ours = JSON.readTree(run.java(Probe.class, "train", model(name), rows, "layer", full ? "5" : "1", precision).text());
        Map<String, Object> facts = facts(ours);
        boolean good = ours.get("fallbacks").asInt() == 0;
        if (gpu && !peft.isEmpty() && !python.isEmpty()) {
            facts.put("our_peak_mib", memory.takePeak());
            JsonNode theirs = JSON.readTree(run.run(python, kit.resolve("peft_gpu.py").toString(), peft, rows, "5").text().strip().lines()
                    .reduce((a, b) -> b).orElse("{}"));
            double ratio = ours.get("tokens_per_s").asDouble() / theirs.get("tokens_per_s").asDouble();
            facts.put("peft", theirs);
            facts.put("ratio", Outcome.round(ratio));
            good &= ratio >= 0.5;
        }
        return new Outcome(good, facts);
    }

    /** The git task on the GPU and on the CPU: the same losses within what its arithmetic leaves. */
    private Outcome finetune() throws IOException, InterruptedException {
        JsonNode there = finetune("all", "gpu");
        JsonNode here = finetune("0", "cpu");
        double most = 0;
        JsonNode losses = here.get("loss");
        for (int i = 0; i < losses.size(); i++) {
            most = Math.max(most, Math.abs(losses.get(i).asDouble() - there.get("loss").get(i).asDouble()));
        }
        double last = Math.abs(losses.get(losses.size() - 1).asDouble() - there.get("loss").get(losses.size() - 1).asDouble());
        return Outcome.of(most < 0.1 && last < 0.02 && there.get("cpu_fallbacks").asInt() == 0, "steps", losses.size(),
                "largest_difference", Outcome.round(most),
                "last_loss_gpu", Outcome.round(there.get("loss").get(losses.size() - 1).asDouble()),
                "last_loss_cpu", Outcome.round(losses.get(losses.size() - 1).asDouble()),
                "seconds_gpu", Outcome.round(there.get("seconds").asDouble()), "seconds_cpu", Outcome.round(here.get("seconds").asDouble()));
    }

    private JsonNode finetune(String layers, String name) throws IOException, InterruptedException {
        return JSON.readTree(run.ours("finetune", "--model-base", kit.resolve("data/lucifer-tiny-f16.gguf").toString(), "--train-data", data("git-train.jsonl"),
                "--lora-out", out.resolve("git-" + name + ".gguf").toString(), "--force", "-ngl", layers, "--epochs", "1",
                "--batch-size", full ? "8" : "100", "--lr", "2e-3",
                "--json").text());
    }

    /** The GPU's predictions against the CPU's. */
    private Outcome divergence() throws IOException, InterruptedException {
        String saved = models.resolve("cpu.kld").toString();
        String chunks = full ? "4" : "1";
        run.ours("evaluate", "-m", model("1b-bf16"), "-ngl", "0", "-f", kit.resolve("data/text.txt").toString(), "--chunks", chunks, "--save-logits", saved,
                "--force").text();
        JsonNode models = JSON.readTree(run.ours("evaluate", "-m", model("1b-bf16"), "-ngl", gpu ? "all" : "0", "--base", saved, "--chunks", chunks, "--json").text())
                .get("models");
        JsonNode found = models.get(models.size() - 1);
        JsonNode divergence = found.get("divergence");
        double mean = divergence.get("kld").get("value").asDouble();
        return Outcome.of(mean <= DIVERGENCE, "mean_kld", mean, "highest_kld", divergence.get("kld_quantiles").get("1.0"),
                "same_top", divergence.get("same_top").get("value"), "tokens", divergence.get("tokens"));
    }

    /** The same digits as llama-perplexity on the same device. */
    private Outcome perplexity() throws IOException, InterruptedException {
        String text = kit.resolve("data/text.txt").toString();
        String chunks = full ? "8" : "1";
        String theirs = run.upstream("llama-perplexity", "-m", model("1b-q4_k_m"), "-ngl", gpu ? "99" : "0", "-f", text, "--chunks", chunks).text();
        String log = Files.readString(out.resolve("log-perplexity.txt"));
        String estimate = (log + theirs).lines().filter(l -> l.contains("Final estimate")).reduce((a, b) -> b).orElse("none").replaceAll(".*PPL = ([0-9.]+).*", "$1");
        JsonNode ours = JSON.readTree(run.ours("evaluate", "-m", model("1b-q4_k_m"), "-ngl", gpu ? "all" : "0", "-f", text, "--chunks", chunks, "--json").text())
                .get("models").get(0);
        String value = "%.4f".formatted(ours.get("perplexity").get("value").asDouble());
        return Outcome.of(value.equals(estimate), "ours", value, "llama_perplexity", estimate, "tokens_per_s", Outcome.round(ours.get("tokens_per_second").asDouble()));
    }

    private Outcome interrupt() throws IOException, InterruptedException {
        long before = memory.used();
        long start = System.nanoTime();
        Process process = run.startOurs("finetune", "--model-base", kit.resolve("data/lucifer-tiny-f16.gguf").toString(), "--train-data", data("git-train.jsonl"),
                "--lora-out", out.resolve("stopped.gguf").toString(), "--force", "-ngl", gpu ? "all" : "0", "--epochs", "100");
        Thread.sleep(full ? 8000 : 4000);
        new ProcessBuilder("kill", "-INT", String.valueOf(process.pid())).start().waitFor();
        long asked = System.nanoTime();
        Programs.Run ended = run.await(process, start);
        double seconds = (System.nanoTime() - asked) / 1e9;
        return Outcome.of(ended.code() == 130 && seconds < 5, "exit", ended.code(), "seconds", Outcome.round(seconds), "gpu_mib_left", memory.used() - before);
    }

    private Outcome noGpu() throws IOException, InterruptedException {
        Programs.Run answer = run.with("CUDA_VISIBLE_DEVICES", "").ours("generate", "-p", "list files", "-n", "8");
        return Outcome.of(answer.code() == 0 && !answer.output().isEmpty(), "exit", answer.code(), "answer", answer.output().strip());
    }

    private Outcome twoProcesses() throws IOException, InterruptedException {
        String[] words = {"generate", "-m", model("1b-q4_k_m"), "-ngl", gpu ? "all" : "0", "-p", "list files", "-n", "64", "--temp", "0"};
        long start = System.nanoTime();
        Process first = run.startOurs(words);
        Process second = run.startOurs(words);
        Programs.Run a = run.await(first, start);
        Programs.Run b = run.await(second, start);
        return Outcome.of(a.code() == 0 && b.code() == 0 && a.output().equals(b.output()), "exits", a.code() + " and " + b.code(), "same", a.output().equals(b.output()));
    }

    /** Another process leaves 6 GB of the card: a 16 GB model is loaded in part and answers. */
    private Outcome autoLayers() throws IOException, InterruptedException {
        if (!gpu || python.isEmpty()) {
            return Outcome.of(true, "skipped", "needs a card, and a python3 with torch to fill it");
        }
        Process filler = run.start(python, "-c", "import torch, time; f, _ = torch.cuda.mem_get_info(); x = torch.empty(f - 6*2**30, dtype=torch.uint8, device='cuda'); time.sleep(80)");
        Thread.sleep(12_000);
        Programs.Run answer = run.ours("generate", "-v", "-m", model("8b-bf16"), "-p", "list files", "-n", "8", "-c", "512");
        filler.destroyForcibly().waitFor();
        String log = Files.readString(out.resolve("log-auto-layers.txt"));
        String offloaded = log.lines().filter(l -> l.contains("offloaded")).reduce((a, b) -> b).orElse("").replaceAll(".*offloaded", "offloaded");
        return Outcome.of(answer.code() == 0, "exit", answer.code(), "layers", offloaded);
    }

    private Outcome imatrix() throws IOException, InterruptedException {
        Path file = out.resolve("imatrix.gguf");
        Programs.Run made = run.ours("imatrix", "-m", model("1b-bf16"), "-ngl", gpu ? "all" : "0", "-f", kit.resolve("data/text.txt").toString(), "--chunks",
                full ? "8" : "1", "-o", file.toString(), "--force");
        Files.deleteIfExists(file);
        return ended(made);
    }

    /** Beside llama-quantize with as many threads; the same bytes. */
    private Outcome quantize() throws IOException, InterruptedException {
        String threads = String.valueOf(Runtime.getRuntime().availableProcessors());
        Path theirs = models.resolve("theirs.gguf");
        Path mine = models.resolve("ours.gguf");
        Programs.Run a = run.upstream("llama-quantize", "--allow-requantize", model("1b-bf16"), theirs.toString(), "Q4_K_M", threads);
        Programs.Run b = run.ours("quantize", "--allow-requantize", "--force", model("1b-bf16"), mine.toString(), "Q4_K_M", threads);
        boolean same = Files.exists(theirs) && Files.exists(mine) && Files.mismatch(theirs, mine) < 0;
        Files.deleteIfExists(theirs);
        Files.deleteIfExists(mine);
        return Outcome.of(a.code() == 0 && b.code() == 0 && same, "seconds_ours", Outcome.round(b.seconds()),
                "seconds_llama_quantize", Outcome.round(a.seconds()), "same_bytes", same);
    }

    private Outcome exportLora() throws IOException, InterruptedException {
        Path merged = out.resolve("merged.gguf");
        Programs.Run made = run.ours("export-lora", "--model-base", kit.resolve("data/lucifer-tiny-f16.gguf").toString(),
                "--lora", out.resolve("git-gpu.gguf").toString(), "--model-out", merged.toString(), "--force", "--verify");
        Files.deleteIfExists(merged);
        return ended(made);
    }

    private static String command(String... words) {
        try {
            Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? text : "";
        } catch (IOException | InterruptedException e) {
            return "";
        }
    }
}
