package ai.luciferai.llama.cli;

import ai.luciferai.llama.Info;
import ai.luciferai.llama.InfoOptions;
import ai.luciferai.llama.InfoReport;
import ai.luciferai.llama.QuantType;
import ai.luciferai.llama.Quantize;
import ai.luciferai.llama.QuantizeBudget;
import ai.luciferai.llama.QuantizeChoice;
import ai.luciferai.llama.QuantizeOptions;
import ai.luciferai.llama.QuantizePlan;
import ai.luciferai.llama.QuantizeReport;
import ai.luciferai.llama.QuantizeResult;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** {@code quantize}: smaller weights for a model. */
final class QuantizeCommand implements Command {

    @Override
    public Syntax syntax() {
        return new Syntax("quantize", "IN [OUT] TYPE [THREADS]", 4, """
                Makes a model smaller by storing its weights with fewer bits, to the same bytes as llama-quantize.
                Without OUT, model.gguf becomes model-q4_k_m.gguf beside it. An output appears whole or not at all.""")
                .group("What")
                .option("--types", "T,…", "several types at once; what exists is skipped, what fails is reported at the end")
                .option("--out-dir", "DIR", "where outputs without a name go (default: beside IN)")
                .option("--for-ram", "SIZE", "instead of TYPE: the best that runs in so much memory (file × 1.2)")
                .option("--target-size", "SIZE", "instead of TYPE: the best whose file is no larger")
                .flag("--dry-run", "shows size and plan of every tensor; writes nothing")
                .flag("--info", "shows what size IN would have in each type")
                .flag("--list-types", "shows all types with bits per weight")
                .flag("--force", "replaces an existing output")
                .flag("--json", "as JSON")
                .group("Importance matrix")
                .option("--imatrix", "FILE", "which weights matter most")
                .option("--include-weights", "NAME", "use it only for tensors with NAME in their name; may be repeated")
                .option("--exclude-weights", "NAME", "use it for all but these; may be repeated")
                .group("Tensors")
                .option("--output-tensor-type", "TYPE", "type of output.weight")
                .option("--token-embedding-type", "TYPE", "type of token_embd.weight")
                .option("--tensor-type", "PATTERN=TYPE", "type of tensors whose name fits a regular expression; may be repeated")
                .option("--tensor-type-file", "FILE", "such rules, with blanks or line ends between them")
                .flag("--leave-output-tensor", "output.weight is not quantized")
                .flag("--pure", "one type for all tensors: no mixture")
                .flag("--allow-requantize", "quantize what is quantized already, which loses quality")
                .group("Model")
                .option("--prune-layers", "N,…", "leaves these layers out")
                .option("--override-kv", "KEY=TYPE:VALUE", "writes other metadata; may be repeated")
                .flag("--keep-split", "a split model stays split")
                .group("Work")
                .option("-t --threads", "N", "threads (default: all processors)")
                .option("--max-buffer-size", "MIB", "most memory for rows of one tensor", 8192);
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        checkMode(a);
        if (a.has("--list-types")) {
            environment.print(a.has("--json") ? QuantizeText.typesJson() : QuantizeText.types());
            return ExitCode.OK;
        }
        if (a.has("--info")) {
            return info(options(a, words(a, 1, 1).getFirst(), null, QuantType.COPY), a, environment);
        }
        if (a.has("--types")) {
            return batch(a, environment);
        }
        if (a.has("--for-ram") || a.has("--target-size")) {
            return choose(a, environment);
        }
        List<String> words = words(a, 2, 4);
        // As llama-quantize: the second word is a type, or else the output.
        boolean named = !isType(words.get(1));
        if (words.size() < (named ? 3 : 2)) {
            QuantType.parse(words.get(1));
        }
        if (named && a.has("--out-dir")) {
            throw new InvalidOptionException("--out-dir", "no OUT beside it", Arguments.quote(words.get(1)));
        }
        Path out = named ? ModelMixin.path("OUT", words.get(1)) : null;
        return one(options(a, words.getFirst(), out, QuantType.parse(words.get(named ? 2 : 1))), a, environment);
    }

    /** Types are chosen in one way, and a plan is shown of one type. */
    private static void checkMode(Arguments a) {
        a.requireOne("--list-types", "--info", "--types", "--for-ram", "--target-size");
        if (a.has("--types") && a.has("--dry-run")) {
            throw new InvalidOptionException("--dry-run", "one TYPE", "--types", "--info shows the size in each type");
        }
        if (a.has("--out-dir") && !Files.isDirectory(ModelMixin.path("--out-dir", a.text("--out-dir")))) {
            throw new InvalidOptionException("--out-dir", "an existing folder", Arguments.quote(a.text("--out-dir")));
        }
    }

    private static List<String> words(Arguments a, int least, int most) {
        if (a.operands().size() < least || a.operands().size() > most) {
            throw new InvalidOptionException("quantize", most == 1 ? "one model" : "IN [OUT] TYPE [THREADS]",
                    a.operands().isEmpty() ? "nothing" : Arguments.quote(String.join(" ", a.operands())),
                    "see lucifer-llama quantize --help; --list-types shows the types");
        }
        return a.operands();
    }

    private static boolean isType(String word) {
        try {
            QuantType.parse(word);
            return true;
        } catch (InvalidOptionException e) {
            return false;
        }
    }

    private static int one(QuantizeOptions options, Arguments a, Environment environment) throws IOException {
        if (a.has("--dry-run")) {
            QuantizePlan plan = Quantize.plan(options);
            plan.warnings().forEach(warning -> environment.say("warning: " + warning));
            environment.print(a.has("--json") ? QuantizeText.planJson(plan) : QuantizeText.plan(plan));
            return ExitCode.OK;
        }
        QuantizeReport report;
        try (ProgressLine progress = environment.progress()) {
            report = Quantize.run(options, progress, environment.cancel());
        }
        report.plan().warnings().forEach(warning -> environment.say("warning: " + warning));
        environment.print(a.has("--json") ? QuantizeText.reportJson(report) : QuantizeText.report(report));
        return ExitCode.OK;
    }

    private static int info(QuantizeOptions options, Arguments a, Environment environment) throws IOException {
        var plans = new ArrayList<QuantizePlan>();
        for (QuantType type : QuantType.values()) {
            plans.add(Quantize.plan(options.withType(type).withAllowRequantize(true)));
        }
        InfoReport model = Info.run(new InfoOptions(options.input(), InfoOptions.ARRAY_ELEMENTS));
        environment.print(a.has("--json") ? QuantizeText.infoJson(model, plans) : QuantizeText.info(model, plans));
        return ExitCode.OK;
    }

    private static int choose(Arguments a, Environment environment) throws IOException {
        List<String> words = words(a, 1, 2);
        boolean ram = a.has("--for-ram");
        if (words.size() > 1 && (isType(words.get(1)) || a.has("--out-dir"))) {
            String option = isType(words.get(1)) ? ram ? "--for-ram" : "--target-size" : "--out-dir";
            throw new InvalidOptionException(option, isType(words.get(1)) ? "no TYPE beside it" : "no OUT beside it", Arguments.quote(words.get(1)));
        }
        QuantizeBudget budget = ram ? QuantizeBudget.ram(QuantizeBudget.size("for-ram", a.text("--for-ram")))
                : QuantizeBudget.file(QuantizeBudget.size("target-size", a.text("--target-size")));
        QuantizeOptions options = options(a, words.getFirst(), words.size() > 1 ? ModelMixin.path("OUT", words.get(1)) : null, QuantType.Q8_0);
        QuantizeChoice choice = Quantize.choose(options, budget);
        environment.say(QuantizeText.choice(choice));
        QuantType type = choice.plan().options().type();
        return one(words.size() > 1 ? options.withType(type) : options.withType(type).withOutput(output(a, options.input(), type)),
                a, environment);
    }

    private static int batch(Arguments a, Environment environment) {
        String in = words(a, 1, 1).getFirst();
        var batch = new ArrayList<QuantizeOptions>();
        for (String type : a.list("--types", ',')) {
            batch.add(options(a, in, null, QuantType.parse(type)));
        }
        List<QuantizeResult> results;
        try (ProgressLine progress = environment.progress()) {
            results = Quantize.runAll(batch, progress, environment.cancel());
        }
        results.stream().flatMap(result -> result.failure().stream())
                .forEach(failure -> environment.err().println("error: " + Faults.message(failure, a)));
        environment.print(a.has("--json") ? QuantizeText.resultsJson(results) : QuantizeText.results(results));
        return results.stream().flatMap(result -> result.failure().stream()).findFirst().map(ExitCode::of).orElse(ExitCode.OK);
    }

    private static QuantizeOptions options(Arguments a, String in, Path out, QuantType type) {
        Path input = ModelMixin.path("IN", in);
        return QuantizeOptions.of(input, out != null ? out : output(a, input, type), type)
                .withTensorTypes(tensorTypes(a)).withImportance(importance(a)).withEdits(edits(a))
                .withAllowRequantize(a.has("--allow-requantize")).withKeepSplit(a.has("--keep-split")).withForce(a.has("--force"))
                .withLimits(limits(a));
    }

    private static Path output(Arguments a, Path input, QuantType type) {
        Path output = Quantize.defaultOutput(input, type);
        return a.has("--out-dir") ? ModelMixin.path("--out-dir", a.text("--out-dir")).resolve(output.getFileName()) : output;
    }

    private static QuantizeOptions.TensorTypes tensorTypes(Arguments a) {
        List<QuantizeOptions.TensorRule> rules = Stream.concat(a.texts("--tensor-type").stream(), rulesOfFile(a))
                .map(QuantizeOptions.TensorRule::parse).toList();
        return QuantizeOptions.TensorTypes.of(a.text("--output-tensor-type"), a.text("--token-embedding-type"), rules,
                a.has("--pure"), a.has("--leave-output-tensor"));
    }

    private static Stream<String> rulesOfFile(Arguments a) {
        String file = a.text("--tensor-type-file");
        if (file == null) {
            return Stream.empty();
        }
        return Stream.of(TextFile.read("--tensor-type-file", file).split("\\s+")).filter(rule -> !rule.isEmpty());
    }

    private static QuantizeOptions.Importance importance(Arguments a) {
        return new QuantizeOptions.Importance(Optional.ofNullable(a.text("--imatrix")).map(file -> ModelMixin.path("--imatrix", file)), a.texts("--include-weights"),
                a.texts("--exclude-weights"));
    }

    private static QuantizeOptions.Edits edits(Arguments a) {
        List<Integer> layers = a.list("--prune-layers", ',').stream().map(layer -> Arguments.integerOf("--prune-layers", layer)).toList();
        return new QuantizeOptions.Edits(layers, ModelMixin.overrides(a));
    }

    private static QuantizeOptions.Limits limits(Arguments a) {
        return new QuantizeOptions.Limits(threads(a), a.integer("--max-buffer-size", 0) * 1024L * 1024L);
    }

    /** Of -t or, as llama-quantize has it, of the word behind TYPE. */
    private static int threads(Arguments a) {
        List<String> words = a.operands();
        int type = words.size() > 1 && isType(words.get(1)) ? 1 : 2;
        if (words.size() <= type + 1) {
            return a.integer("-t", 0);
        }
        String word = words.get(type + 1);
        if (!word.matches("\\d+")) {
            throw new InvalidOptionException("THREADS", "a whole number", Arguments.quote(word), type == 1 ? "OUT stands before TYPE" : null);
        }
        if (a.has("-t") || words.size() > type + 2) {
            throw new InvalidOptionException("quantize", "IN [OUT] TYPE [THREADS]", a.has("-t") ? "THREADS beside " + a.typed("-t") : Arguments.quote(words.getLast()));
        }
        return Arguments.integerOf("THREADS", word);
    }
}
