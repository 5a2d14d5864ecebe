package ai.luciferai.llama;

import java.util.List;
import java.util.Optional;

/**
 * A generated text and how it came about.
 *
 * @param text         the text, without a stop string
 * @param tokens       every generated token, also the one that ended it
 * @param stopReason   why it ended
 * @param stopString   the stop string that ended it
 * @param promptTokens length of the prompt
 * @param timings      where the time went
 * @param seed         the seed in use, also when it was drawn
 */
public record Completion(String text, List<Token> tokens, StopReason stopReason, Optional<String> stopString, int promptTokens,
        Timings timings, long seed) {

    public Completion {
        tokens = List.copyOf(tokens);
    }

    /** The ids of {@link #tokens()}. */
    public int[] tokenIds() {
        return tokens.stream().mapToInt(Token::id).toArray();
    }
}
