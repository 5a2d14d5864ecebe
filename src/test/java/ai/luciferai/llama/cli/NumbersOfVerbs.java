package ai.luciferai.llama.cli;

import static java.util.Map.entry;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gives every number of every verb values at the ends of what numbers can be. Each must be done as asked, or refused as an option or a file:
 * no foreign exception, no death, no more memory than the machine can spare, and nothing that Ctrl-C does not end.
 *
 * <p>Arguments: a work folder, an adapter, a text, training data, a checkpoint; further ones: only these verbs.
 */
public final class NumbersOfVerbs {

    private static final List<String> VALUES = List.of("0", "-1", "1000000000", "2147483647", "-2147483648", "4294967296",
            "9223372036854775808", "NaN", "Infinity", "1e308", "1e38");

    /** How a value stands in what the help calls by this name. */
    private static final Map<String, List<String>> FORMS = Map.ofEntries(entry("N", List.of("%s")), entry("X", List.of("%s")),
            entry("INDEX", List.of("%s")), entry("MIB", List.of("%s")), entry("N|auto|all", List.of("%s")),
            entry("N,…", List.of("%s", "1,%s")), entry("X,…", List.of("%s", "1,%s")), entry("PP,TG", List.of("%s,1", "1,%s", "%1$s,%1$s")),
            entry("SIZE", List.of("%s", "%sG", "%sT")), entry("N[M|G]", List.of("%s", "%sM", "%sG")), entry("ID(+|-)X", List.of("%s+1", "5+%s", "5-%s")),
            entry("KEY=TYPE:VALUE", List.of("llama.context_length=int:%s", "llama.block_count=int:%s", "llama.rope.freq_base=float:%s",
                    "llama.attention.head_count=int:%s", "llama.attention.layer_norm_rms_epsilon=float:%s")),
            entry("HOST:PORT,…", List.of("127.0.0.1:%s")));

    /** What is no number: a new name in a help belongs into one of the two. */
    static final Set<String> OTHERS = Set.of("FILE", "FILE,…", "DIR", "NAME", "NAME,…", "NAME;…", "NAME|FILE", "MODEL|FILE", "TEXT", "TYPE", "T,…",
            "PATTERN=TYPE", "DATA", "GBNF", "JSON", "FILE[:SCALE]", "LETTERS", "LEVEL");

    private static final long CANCEL_AFTER_SECONDS = 2;
    private static final long MOST_BYTES = 3L << 30;
    private static final Pattern PEAK = Pattern.compile("VmHWM:\\s+(\\d+) kB");
    private static final Set<Integer> FINE = Set.of(ExitCode.OK, ExitCode.USAGE, ExitCode.INPUT_FILE, ExitCode.UNSUPPORTED, ExitCode.CANCELLED);

    /** What a number can lead to beside a refusal: more memory than there is, a model that computes nonsense, a server that is not there. */
    private static final List<String> EXCUSES = List.of("GiB are free", "are not finite", "are broken", "no rpc-server");

    private final Map<String, List<List<String>>> words;
    private int runs;
    private int faults;

    private NumbersOfVerbs(Path folder, String adapter, String text, String data, String checkpoint) throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.txt"), "list files\nshow client.css\n");
        String out = folder.resolve("out").toString();
        String model = folder.resolve("model.gguf").toString();
        words = Map.ofEntries(entry("generate", List.of(List.of("-m", model, "-p", "list files\n", "-n", "3", "-t", "1", "--lora", adapter),
                        List.of("-m", model, "-p", "list files\n", "-n", "3", "-t", "1", "--dry-multiplier", "1", "--dynatemp-range", "0.5",
                                "--xtc-probability", "0.5", "--repeat-penalty", "1.1", "--json", "--logprobs", "1"),
                        List.of("-m", model, "-p", "list files\n", "-n", "3", "-t", "1", "--mirostat", "2"),
                        List.of("-m", model, "--prompts", prompts.toString(), "--out-dir", folder.toString(), "--force", "-n", "1", "-t", "1"))),
                entry("convert", List.of(List.of(checkpoint, "--outfile", out, "--force"))),
                entry("quantize", List.of(List.of(model, out, "Q8_0", "--force", "-t", "1"))),
                entry("imatrix", List.of(List.of(model, "-f", text, "-c", "64", "--chunks", "2", "-o", out, "--force", "-t", "1"))),
                entry("evaluate", List.of(List.of(model, "-f", text, "-c", "64", "--chunks", "2", "--exact-match", data, "-t", "1"))),
                entry("finetune", List.of(List.of("--model-base", model, "--train-data", data, "--lora-out", out, "--force", "--epochs", "1", "-t", "1"))),
                entry("export-lora", List.of(List.of("--model-base", model, "--lora", adapter, "--model-out", out, "--force"))),
                entry("info", List.of(List.of(model))), entry("devices", List.of(List.of())), entry("tokenize", List.of(List.of("-m", model, "-p", "a"))),
                entry("detokenize", List.of(List.of("-m", model, "5"))), entry("embed", List.of(List.of("-m", model, "-p", "a", "-t", "1"))),
                entry("bench", List.of(List.of("-m", model, "-p", "8", "-n", "2", "-r", "1", "-t", "1"))), entry("doctor", List.of(List.of())));
    }

    public static void main(String[] args) throws IOException {
        var attack = new NumbersOfVerbs(Path.of(args[0]), args[1], args[2], args[3], args[4]);
        List<String> verbs = args.length > 5 ? List.of(args).subList(5, args.length) : Main.VERBS;
        for (String verb : verbs) {
            attack.verb(verb);
        }
        System.out.println((attack.faults == 0 ? "done " : "faults ") + attack.runs + " runs");
    }

    /** Labels of values that neither list has. */
    public static Set<String> unknownLabels() {
        var unknown = new TreeSet<String>();
        for (String verb : Main.VERBS) {
            for (Syntax.Option option : Main.command(verb).syntax().options()) {
                boolean known = option.kind() != Syntax.Kind.VALUE || !option.choices().isEmpty() || FORMS.containsKey(option.parameter())
                        || OTHERS.contains(option.parameter());
                if (!known) {
                    unknown.add(option.parameter());
                }
            }
        }
        return unknown;
    }

    private void verb(String verb) throws IOException {
        for (Syntax.Option option : Main.command(verb).syntax().options()) {
            List<String> forms = option.kind() == Syntax.Kind.VALUE && option.choices().isEmpty() ? FORMS.getOrDefault(option.parameter(), List.of())
                    : List.of();
            for (List<String> base : words.get(verb)) {
                for (String form : forms) {
                    for (String value : VALUES) {
                        run(verb, base, option.names().getLast(), form.formatted(value));
                    }
                }
            }
        }
    }

    private void run(String verb, List<String> base, String option, String value) throws IOException {
        var line = new ArrayList<>(List.of(verb, "-q"));
        line.addAll(base);
        line.addAll(List.of(option, value));
        String what = verb + " " + option + " " + value;
        System.out.println(what);
        var err = new ByteArrayOutputStream();
        var environment = new Environment(new ByteArrayInputStream(new byte[0]), new ByteArrayOutputStream(),
                new PrintStream(err, true, StandardCharsets.UTF_8), false);
        resetPeak();
        long start = System.nanoTime();
        int code;
        try (var timer = Executors.newSingleThreadScheduledExecutor()) {
            timer.schedule(environment.cancel()::request, CANCEL_AFTER_SECONDS, TimeUnit.SECONDS);
            code = Main.run(line.toArray(String[]::new), environment);
            timer.shutdownNow();
        }
        runs++;
        long peak = peak();
        String said = err.toString(StandardCharsets.UTF_8);
        System.out.printf("  %d, %d ms, %d MiB: %s%n", code, (System.nanoTime() - start) / 1_000_000, peak >> 20,
                said.lines().filter(l -> l.startsWith("error")).findFirst().orElse(""));
        if (!FINE.contains(code) && EXCUSES.stream().noneMatch(said::contains) || peak > MOST_BYTES) {
            faults++;
            System.err.println(what + ": " + code + ", " + (peak >> 20) + " MiB: " + said);
        }
    }

    private static void resetPeak() throws IOException {
        Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    }

    private static long peak() throws IOException {
        Matcher peak = PEAK.matcher(Files.readString(Path.of("/proc/self/status")));
        return peak.find() ? Long.parseLong(peak.group(1)) << 10 : 0;
    }
}
