package ai.luciferai.llama;

import java.util.List;
import java.util.Optional;

/**
 * What {@link Imatrix} did.
 *
 * @param entries    weights in the output
 * @param chunks     chunks of text in the output, those of the inputs included
 * @param tokens     that the model has read
 * @param perplexity of the text, when it was asked for
 * @param gaps       experts that no token has reached, one sentence for each weight that has some
 * @param millis     how long it took
 */
public record ImatrixReport(ImatrixOptions options, int entries, long chunks, long tokens, Optional<Estimate> perplexity,
        List<String> gaps, double millis) {

    public ImatrixReport {
        gaps = List.copyOf(gaps);
    }
}
