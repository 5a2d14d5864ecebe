package ai.luciferai.llama.cli;

import ai.luciferai.llama.Evaluate;
import ai.luciferai.llama.EvaluateOptions;
import ai.luciferai.llama.EvaluateReport;
import ai.luciferai.llama.ImatrixOptions;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code evaluate}: how good models are, side by side. */
final class EvaluateCommand implements Command {

    private static final int MOST_MODELS = 1000;

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("evaluate", "[MODEL…]", MOST_MODELS, """
                Measures how good models are, and what quantization has cost: one table for all.
                Perplexity and KL divergence are those of llama-perplexity: the text is read in chunks, and the tokens of each chunk's second half
                count. Several models are evaluated one after the other; -v says all about each one's differences from the base.""");
        syntax.group("Text")
                .option("-f --file", "FILE", "text to read: perplexity")
                .option("--base", "MODEL|FILE", "compare with this model, or with a file of --save-logits (or llama-perplexity's "
                        + "--kl-divergence-base), which holds its text: KL divergence, change of probabilities, same top token")
                .option("--save-logits --save-all-logits", "FILE", "keeps the predictions of the base, or of the only model; "
                        + "two bytes a word of the vocabulary and token")
                .option("-c --ctx-size", "N", "tokens of a chunk (default: 512, or what the models were trained with)")
                .option("--chunks", "N", "most chunks to read; -1: all", -1)
                .group("Answers")
                .option("--exact-match", "DATA", "share of answers that are exactly right; lines {\"text\": \"PROMPT\\nANSWER\"}, "
                        + "{\"prompt\": …, \"completion\": …} or {\"messages\": […]}")
                .option("--prompts", "FILE", "a prompt a line, whose answers are shown side by side; \\n is a line break")
                .option("-n --predict --n-predict", "N", "most tokens of such an answer", EvaluateOptions.Answers.MAX_TOKENS)
                .group("Report")
                .option("--html", "FILE", "a page with the table, and size plotted against quality")
                .flag("--force", "replaces existing outputs")
                .flag("--json", "as JSON");
        ModelMixin.declare(syntax);
        ContextMixin.computing(syntax);
        return AcceptedMixin.declare(syntax, "--no-warmup --no-context-shift");
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        EvaluateOptions options = options(a);
        ModelMixin.addServers(a);
        EvaluateReport report;
        try (ProgressLine progress = environment.progress()) {
            report = Evaluate.run(options, progress, environment.cancel());
        }
        report.models().forEach(model -> model.failure().ifPresent(failure -> environment.tellFailure(model.name(), failure, a)));
        environment.print(a.has("--json") ? EvaluateText.json(report) : EvaluateText.text(report, environment.verbosity().compareTo(Verbosity.NORMAL) > 0));
        return report.models().stream().flatMap(model -> model.failure().stream()).findFirst().map(ExitCode::of).orElse(ExitCode.OK);
    }

    /** What acts on a text or on answers alone is refused where there are none. */
    private static void checkParts(Arguments a) {
        for (String name : List.of("-c", "--chunks")) {
            if (a.has(name) && !a.has("-f") && !a.has("--base")) {
                throw new InvalidOptionException(a.typed(name), "-f FILE beside it", "none");
            }
        }
        if (a.has("-n") && !a.has("--prompts") && !a.has("--exact-match")) {
            throw new InvalidOptionException(a.typed("-n"), "--prompts or --exact-match beside it", "neither");
        }
    }

    static EvaluateOptions options(Arguments a) {
        checkParts(a);
        var models = new ArrayList<Path>();
        a.operands().forEach(name -> models.add(ModelMixin.path("MODEL", name)));
        a.texts("-m").forEach(name -> models.add(ModelMixin.path("-m", name)));
        var reading = new EvaluateOptions.Reading(file(a, "-f"), a.integer("-c", ImatrixOptions.AUTO_CHUNK), a.integer("--chunks", -1),
                file(a, "--base"), file(a, "--save-logits"));
        var answers = new EvaluateOptions.Answers(file(a, "--exact-match"), prompts(a),
                a.integer("-n", EvaluateOptions.Answers.MAX_TOKENS));
        return new EvaluateOptions(models, reading, answers, file(a, "--html"), a.has("--force"), ModelMixin.options(a),
                ContextMixin.computing(a));
    }

    private static Optional<Path> file(Arguments a, String option) {
        return Optional.ofNullable(a.text(option)).map(name -> ModelMixin.path(a.typed(option), name));
    }

    private static List<String> prompts(Arguments a) {
        if (!a.has("--prompts")) {
            return List.of();
        }
        Path file = ModelMixin.path("--prompts", a.text("--prompts"));
        List<String> prompts = TextFile.read(file).lines().filter(line -> !line.isBlank()).map(Escapes::process).toList();
        if (prompts.isEmpty()) {
            throw new InvalidFileException(file, "prompts", "a prompt a line", "no line with text");
        }
        return prompts;
    }
}
