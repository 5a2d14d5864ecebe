package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.util.List;

/** Lets one model answer prompts, the most probable token each time, and counts how long it takes. */
final class Answering {

    private static final int SIDE_BY_SIDE = 8;

    private final Model model;
    private final ContextOptions context;
    private final Progress progress;
    private final Cancel cancel;
    private long tokens;
    private long nanos;

    Answering(Model model, ContextOptions context, Progress progress, Cancel cancel) {
        this.model = model;
        this.context = context.withSequences(SIDE_BY_SIDE);
        this.progress = progress;
        this.cancel = cancel;
    }

    Model model() {
        return model;
    }

    /** The answers' texts; they end at one of the stops or after so many tokens. */
    List<String> ask(List<String> prompts, int maxTokens, List<String> stops) {
        long start = System.nanoTime();
        var greedy = GenerateOptions.defaults().withSampling(Sampling.greedy()).withMaxTokens(maxTokens).withStops(stops);
        List<Completion> answers = model.generateAll(prompts.stream().map(Prompt::text).toList(), greedy, context, progress, cancel);
        cancel.check("evaluate");
        nanos += System.nanoTime() - start;
        answers.forEach(answer -> tokens += answer.tokens().size());
        return answers.stream().map(Completion::text).toList();
    }

    /** Tokens of answers a second; 0: there were none. */
    double tokensPerSecond() {
        return tokens == 0 ? 0 : tokens * 1e9 / nanos;
    }
}
