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
 * @param grammarComplete whether the {@link GenerateOptions#grammar()} had come to its end with the tokens; false: what came is the beginning
 *                     of something that keeps it; empty without one
 */
public record Completion(String text, List<Token> tokens, StopReason stopReason, Optional<String> stopString, int promptTokens,
        Timings timings, long seed, Optional<Boolean> grammarComplete) {

    public Completion {
        tokens = List.copyOf(tokens);
    }

    /** Whether a grammar was asked for, and all ended before it. */
    public boolean cutOff() {
        return !grammarComplete.orElse(true);
    }

    /** The ids of {@link #tokens()}. */
    public int[] tokenIds() {
        return tokens.stream().mapToInt(Token::id).toArray();
    }
}
