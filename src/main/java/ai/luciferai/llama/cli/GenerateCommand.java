package ai.luciferai.llama.cli;

import ai.luciferai.llama.Model;
import java.io.IOException;
import java.util.List;

/** {@code generate}: completes one prompt, answers many, or holds a conversation. */
final class GenerateCommand implements Command {

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("generate", "[-]", 1, """
                Completes a prompt; the completion, and nothing else, goes to stdout.
                With - the prompt comes from stdin; with no prompt at all each line of stdin, where that is a file or a pipe, is one, and
                gets an answer of its own before the next is read; at one that does not fit, all ends. Without -m the embedded model answers, which turns plain English into shell
                commands. On a terminal, a line end follows the completion.""");
        syntax.group("Prompt")
                .option("-p --prompt", "TEXT", "the text to complete")
                .option("-f --file", "FILE", "a file with it; one line end at its end is left out")
                .option("--prompts", "FILE", "a prompt a line: every model given by -m answers all of them, each into a file "
                        + "results-MODEL.txt (--json: .json)")
                .option("--out-dir", "DIR", "where these files go", ".")
                .flag("--force", "replace them")
                .toggle("-e --escape", "--no-escape", "read \\n \\r \\t \\' \\\" \\\\ \\xNN in prompts and stops (default: yes)")
                .flag("-i --interactive", "hold a conversation: with the model's chat template where it has one, else line by line")
                .flag("-ins --instruct", "the same, with Alpaca's instruction form where the model has no template")
                .toggle("-cnv --chat --conversation", "-no-cnv --no-chat --no-conversation",
                        "put the prompt into the model's chat template; without a prompt, as -i")
                .flag("-st --single-turn", "one answer only: of a conversation, or to the first line of stdin")
                .option("-sys --system --system-prompt", "TEXT", "system prompt of a chat")
                .option("-sysf --system-prompt-file", "FILE", "a file with it")
                .option("--chat-template", "NAME|FILE", "template in place of the model's own")
                .option("--chat-template-file", "FILE", "the same, of a file alone")
                .option("--chat-template-kwargs", "JSON", "variables of the template, as a JSON object")
                .onOffAuto("-rea --reasoning", "whether the template asks a model that can think first to do so (default: as the template has it)", null)
                .option("--reasoning-effort", "LEVEL", "how much, for templates with such levels: low, medium, high (default: as the template has it)");
        syntax.group("Completion")
                .option("-n --predict --n-predict --max-tokens", "N", "most tokens to generate; -1: until the model ends", -1)
                .option("-r --stop --reverse-prompt", "TEXT", "a text that ends the completion and is left out; may be repeated")
                .flag("--ignore-eos", "never end by itself")
                .flag("-sp --special", "show control tokens")
                .option("-np --parallel --sequences", "N", "prompts of --prompts that are answered side by side", 4)
                .option("--logprobs", "N", "log-probability of each token and its N best alternatives: in --json, else on stderr")
                .flag("--json", "text, tokens, timings and stop reason as JSON in place of the text; with a grammar also whether it came to its end");
        SamplingMixin.declare(syntax);
        ModelMixin.declare(syntax);
        ContextMixin.declare(syntax);
        return AcceptedMixin.declare(syntax, "--silent-prompt --no-display-prompt --no-warmup --simple-io --jinja --no-show-timings "
                + "--skip-chat-parsing")
                .accepted("-co --color", AcceptedMixin.UNCOLOURED, "nothing is coloured")
                .accepted("--reasoning-format", List.of("none"), "thoughts stay in the text")
                .accepted("--reasoning-budget", List.of("-1"), "thinking is not cut short")
                .option("--keep", "N", "tokens that stay when the context is full: there the text ends")
                .flag("--no-context-shift", "end the text where the context is full");
    }

    @Override
    public void prepare() {
        Model.prepare();
    }

    @Override
    public int run(Arguments arguments, Environment environment) throws IOException {
        GeneratePlan plan = GeneratePlan.of(arguments, environment.piped());
        ModelMixin.addServers(arguments);
        if (plan.prompts() != null) {
            return new PromptBatch(plan, arguments, environment).run();
        }
        String prompt = plan.piped() ? plan.firstPipedPrompt(environment) : plan.prompt(environment);
        long start = System.nanoTime();
        try (Model model = ModelMixin.load(plan.models().getLast(), plan.modelOptions(), environment)) {
            double loadMillis = (System.nanoTime() - start) / 1e6;
            GeneratePlan ready = plan.withSampling(SamplingMixin.sampling(arguments, model.defaultSampling()));
            if (plan.piped()) {
                return new Interactive(ready, model, environment).answerEach(prompt);
            }
            return plan.interactive()
                    ? new Interactive(ready, model, environment).run(prompt)
                    : new OneShot(ready, model, environment).run(prompt, loadMillis);
        }
    }
}
