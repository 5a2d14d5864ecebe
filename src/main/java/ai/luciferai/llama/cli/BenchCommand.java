package ai.luciferai.llama.cli;

import ai.luciferai.llama.Bench;
import ai.luciferai.llama.ContextOptions;
import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code bench}: tokens per second as llama-bench measures them. */
final class BenchCommand implements Command {

    @Override
    public Syntax syntax() {
        Bench.Request d = Bench.Request.defaults();
        var syntax = new Syntax("bench", "", 0, """
                Measures tokens per second of prompts (pp) and of generation (tg), as llama-bench does, in its table.
                Below it: load time, time to the first token, peak memory. Several -m are measured one after the other.""");
        syntax.group("Tests")
                .option("-p --n-prompt", "N,…", "prompt lengths; 0: none (default: 512, or what the model was trained with)")
                .option("-n --n-gen", "N,…", "generation lengths; 0: none (default: 128, or what the model was trained with)")
                .option("-pg", "PP,TG", "a prompt and a generation in one test; may be repeated")
                .option("-r --repetitions", "N", "runs of each test that count", d.repetitions())
                .toggle("--warmup", "--no-warmup", "a run before them that does not (default: yes)")
                .flag("--json", "as JSON")
                .flag("--test", "what the verb does anyway: lucifer-llama -m MODEL --test needs no verb");
        ModelMixin.declare(syntax);
        ContextMixin.computing(syntax);
        return AcceptedMixin.declare(syntax, "--progress").accepted("-o --output", List.of("md"), "the table is llama-bench's");
    }

    @Override
    public int run(Arguments a, Environment environment) {
        var requests = new ArrayList<Bench.Request>();
        for (Optional<Path> model : models(a)) {
            requests.add(request(a, model));
        }
        ModelMixin.addServers(a);
        var reports = new ArrayList<Bench.Report>();
        for (Bench.Request request : requests) {
            try (ProgressLine progress = environment.progress()) {
                reports.add(Bench.run(request, progress, environment.cancel()));
            }
        }
        environment.print(a.has("--json") ? BenchText.json(reports) : BenchText.markdown(reports));
        return ExitCode.OK;
    }

    private static List<Optional<Path>> models(Arguments a) {
        List<Optional<Path>> models = a.texts("-m").stream().map(name -> Optional.of(ModelMixin.path("-m", name))).toList();
        return models.isEmpty() ? List.of(Optional.empty()) : models;
    }

    static Bench.Request request(Arguments a, Optional<Path> model) {
        ContextOptions context = ContextMixin.computing(a);
        return new Bench.Request(model, ModelMixin.options(a), context, tests(a), a.integer("-r", 5), a.on("--warmup", true));
    }

    /** In llama-bench's order: prompts, generations, both. */
    private static List<Bench.Test> tests(Arguments a) {
        var tests = new ArrayList<Bench.Test>();
        for (int n : numbers(a, "-p", Bench.Test.AUTO)) {
            if (n != 0) {
                tests.add(new Bench.Test(n, 0));
            }
        }
        for (int n : numbers(a, "-n", Bench.Test.AUTO)) {
            if (n != 0) {
                tests.add(new Bench.Test(0, n));
            }
        }
        for (String pair : a.texts("-pg")) {
            String[] parts = pair.split(",");
            if (parts.length != 2) {
                throw new InvalidOptionException("-pg", "PP,TG", Arguments.quote(pair));
            }
            tests.add(new Bench.Test(Arguments.integerOf("-pg", parts[0]), Arguments.integerOf("-pg", parts[1])));
        }
        return tests;
    }

    private static List<Integer> numbers(Arguments a, String name, int fallback) {
        var numbers = new ArrayList<Integer>();
        for (String text : a.list(name, ',')) {
            int number = Arguments.integerOf(a.typed(name), text);
            if (number < 0) {
                throw new InvalidOptionException(a.typed(name), "a number of tokens from 0", number);
            }
            numbers.add(number);
        }
        return numbers.isEmpty() ? List.of(fallback) : numbers;
    }
}
