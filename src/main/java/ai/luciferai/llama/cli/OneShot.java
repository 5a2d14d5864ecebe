package ai.luciferai.llama.cli;

import ai.luciferai.llama.Completion;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.Session;
import ai.luciferai.llama.StopReason;
import ai.luciferai.llama.Token;
import java.util.Locale;
import java.util.function.Consumer;

/** One prompt, one completion. */
final class OneShot {

    private final GeneratePlan plan;
    private final Model model;
    private final Environment environment;

    OneShot(GeneratePlan plan, Model model, Environment environment) {
        this.plan = plan;
        this.model = model;
        this.environment = environment;
    }

    int run(String prompt, double loadMillis) {
        try (Session session = model.session(plan.contextOptions())) {
            Consumer<Token> listener = plan.json() ? token -> {} : environment::stream;
            Completion completion = plan.chatsOnce()
                    ? session.chat(plan.chat()).send(prompt, plan.options(), listener, environment.cancel())
                    : session.complete(Prompt.text(prompt), plan.options(), listener, environment.cancel());
            print(completion, loadMillis);
            if (completion.stopReason() == StopReason.CONTEXT_FULL) {
                environment.say("the context of " + session.contextSize() + " tokens is full: -c makes it larger");
            }
            CompletionText.cutOff(completion, plan.options().grammar()).ifPresent(environment::say);
            return completion.stopReason() == StopReason.CANCELLED ? ExitCode.CANCELLED : ExitCode.OK;
        }
    }

    private void print(Completion completion, double loadMillis) {
        if (plan.json()) {
            var json = CompletionText.json(completion);
            json.put("load_ms", loadMillis);
            environment.print(Json.pretty(json));
        } else if (!completion.text().endsWith("\n") && Environment.isTerminal(1)) {
            environment.print("\n");
        }
        environment.flush();
        if (plan.options().wantsLogprobs() && !plan.json()) {
            environment.err().print(CompletionText.logprobs(completion));
        }
        if (environment.verbosity().compareTo(Verbosity.VERBOSE) >= 0) {
            environment.say(CompletionText.summary(completion) + String.format(Locale.ROOT, ", loaded in %.0f ms", loadMillis));
        }
    }
}
