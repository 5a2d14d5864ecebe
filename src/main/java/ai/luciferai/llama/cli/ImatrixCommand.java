package ai.luciferai.llama.cli;

import ai.luciferai.llama.Imatrix;
import ai.luciferai.llama.ImatrixOptions;
import ai.luciferai.llama.ImatrixReport;
import ai.luciferai.llama.ImatrixStatistics;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** {@code imatrix}: which weights matter most. */
final class ImatrixCommand implements Command {

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("imatrix", "[MODEL]", 1, """
                Finds which weights matter most, for quantize --imatrix, to the same bytes as llama-imatrix.
                The model reads a text in chunks. After Ctrl-C the output holds the chunks up to the last checkpoint; --in-file and --chunk go on
                from there. Without -f, the files of --in-file are added up.""");
        syntax.group("What")
                .option("-f --file", "FILE", "text to read, typical of what the model is for")
                .option("-o --output --output-file", "FILE", "the importance matrix", "imatrix.gguf")
                .option("--in-file", "FILE,…", "importance matrices to add to, GGUF or the older format; may be repeated")
                .flag("--show-statistics", "shows what the one file of --in-file says about each weight")
                .flag("--force", "replaces an existing output")
                .flag("--json", "as JSON")
                .group("Text")
                .option("-c --ctx-size", "N", "tokens of a chunk (default: 512, or what the model was trained with)")
                .option("--chunks", "N", "most chunks to read; -1: all", -1)
                .option("--chunk --from-chunk", "N", "chunks to leave out at the start", 0)
                .flag("--parse-special", "texts such as <|im_start|> are control tokens")
                .flag("--process-output", "an entry for output.weight too")
                .toggle("--ppl", "--no-ppl", "computes the text's perplexity beside it (default: yes)")
                .group("Checkpoints")
                .option("-ofreq --output-frequency", "N", "writes the output every N chunks; 0: only at the end", 10)
                .option("--save-frequency", "N", "keeps a copy OUTPUT.at_N every N chunks; 0: none", 0);
        ModelMixin.declare(syntax);
        ContextMixin.computing(syntax);
        return AcceptedMixin.declare(syntax, "--no-context-shift").accepted("--output-format", List.of("gguf"), "the format of the matrix");
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        if (a.has("--show-statistics")) {
            return statistics(a, environment);
        }
        ImatrixOptions options = options(a);
        ModelMixin.addServers(a);
        ImatrixReport report;
        try (ProgressLine progress = environment.progress()) {
            report = Imatrix.run(options, progress, environment.cancel());
        }
        report.gaps().forEach(gap -> environment.say("warning: " + gap));
        environment.print(a.has("--json") ? Json.pretty(json(report)) : text(report));
        return ExitCode.OK;
    }

    private static int statistics(Arguments a, Environment environment) throws IOException {
        List<Path> inputs = inputs(a);
        if (inputs.size() != 1) {
            throw new InvalidOptionException("--show-statistics", "one file with --in-file", inputs.size());
        }
        ImatrixStatistics statistics = Imatrix.statistics(inputs.getFirst());
        environment.print(a.has("--json") ? ImatrixText.json(statistics) : ImatrixText.statistics(statistics));
        return ExitCode.OK;
    }

    static ImatrixOptions options(Arguments a) {
        Optional<Path> text = Optional.ofNullable(a.text("-f")).map(name -> ModelMixin.path(a.typed("-f"), name));
        if (text.isEmpty() && !a.has("--in-file")) {
            throw new InvalidOptionException("-f", "a text", "nothing", "lucifer-llama imatrix model.gguf -f text.txt");
        }
        var checkpoints = new ImatrixOptions.Checkpoints(a.integer("-ofreq", 10), a.integer("--save-frequency", 0));
        return new ImatrixOptions(model(a), text, ModelMixin.path("-o", a.text("-o", "imatrix.gguf")), inputs(a),
                a.integer("-c", ImatrixOptions.AUTO_CHUNK), a.integer("--chunk", 0), a.integer("--chunks", -1), a.has("--process-output"),
                a.has("--parse-special"), a.on("--ppl", true), checkpoints, a.has("--force"), ModelMixin.options(a),
                ContextMixin.computing(a));
    }

    private static Optional<Path> model(Arguments a) {
        if (!a.operands().isEmpty() && a.has("-m")) {
            throw new InvalidOptionException("MODEL", "one model", "one and " + a.typed("-m"));
        }
        return a.operands().isEmpty() ? ModelMixin.path(a) : Optional.of(ModelMixin.path("MODEL", a.operands().getFirst()));
    }

    private static List<Path> inputs(Arguments a) {
        return a.list("--in-file", ',').stream().map(name -> ModelMixin.path("--in-file", name)).toList();
    }

    private static String text(ImatrixReport r) {
        String perplexity = r.perplexity().map(p -> String.format(Locale.ROOT, ", perplexity %.4f ± %.5f", p.value(), p.error())).orElse("");
        String size = r.options().text().isPresent() ? " of " + r.options().chunkSize() + " tokens" : ""; // added up: the files' own
        return String.format(Locale.ROOT, "%s: %d tensors, %d chunks%s%s, %.1f s%n", r.options().output(), r.entries(), r.chunks(), size, perplexity,
                r.millis() / 1000);
    }

    private static Object json(ImatrixReport r) {
        return Json.object("output", r.options().output(), "tensors", r.entries(), "chunks", r.chunks(), "chunk_size",
                r.options().text().isPresent() ? r.options().chunkSize() : null, "tokens", r.tokens(), "perplexity", r.perplexity().map(p -> p.value()).orElse(null),
                "perplexity_error", r.perplexity().map(p -> p.error()).orElse(null), "gaps", r.gaps(), "millis", r.millis());
    }
}
