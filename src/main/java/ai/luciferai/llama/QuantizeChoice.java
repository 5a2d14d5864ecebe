package ai.luciferai.llama;

import java.util.List;

/**
 * The best type that fits a budget, and why.
 *
 * @param plan       of the chosen type
 * @param budget     that it fits
 * @param considered larger types first, down to the chosen one
 */
public record QuantizeChoice(QuantizePlan plan, QuantizeBudget budget, List<Candidate> considered) {

    /**
     * A type that was looked at.
     *
     * @param fileBytes of the file that it would give
     * @param verdict   why it was passed over, or "chosen"
     */
    public record Candidate(QuantType type, long fileBytes, String verdict) {}

    public QuantizeChoice {
        considered = List.copyOf(considered);
    }
}
