package ai.luciferai.llama;

import java.util.List;

/**
 * How many prompts were answered exactly; blanks around an answer do not count.
 *
 * @param total  prompts
 * @param misses those that were not, in the order of the data
 */
public record ExactMatch(int total, List<Miss> misses) {

    /** A prompt and two answers. */
    public record Miss(String prompt, String expected, String got) {}

    public ExactMatch {
        misses = List.copyOf(misses);
    }

    /** Prompts answered exactly. */
    public int right() {
        return total - misses.size();
    }

    /** Share of prompts answered exactly, 0 to 1. */
    public double share() {
        return (double) right() / total;
    }
}
