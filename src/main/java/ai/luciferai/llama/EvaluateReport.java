package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@link Evaluate} found out.
 *
 * @param models in the order of the options; when the base is a model, it comes first
 */
public record EvaluateReport(EvaluateOptions options, List<Quality> models) {

    /**
     * One model.
     *
     * @param name            its file's name without ending, or "embedded"
     * @param type            what most tensors are stored as: "Q4_K - Medium"
     * @param bytes           size of its files
     * @param parameters      number of weights
     * @param bitsPerWeight   average over all weights
     * @param base            whether the others are compared with it
     * @param perplexity      of the text
     * @param divergence      from the base
     * @param exactMatch      on the prompts with one right answer
     * @param answers         to the prompts, in their order
     * @param tokensPerSecond read, or where nothing was read, answered; 0: neither
     * @param peakMemoryBytes most memory that the process held meanwhile; -1: this system does not tell
     * @param failure         why the rest is missing
     */
    public record Quality(Path path, String name, String type, long bytes, long parameters, double bitsPerWeight, boolean base,
            Optional<Estimate> perplexity, Optional<Divergence> divergence, Optional<ExactMatch> exactMatch, List<String> answers,
            double tokensPerSecond, long peakMemoryBytes, Optional<Exception> failure) {

        public Quality {
            answers = List.copyOf(answers);
        }
    }

    public EvaluateReport {
        models = List.copyOf(models);
    }

    /** The report as a page of HTML with nothing outside it. */
    public String html() {
        return EvaluatePage.html(this);
    }
}
