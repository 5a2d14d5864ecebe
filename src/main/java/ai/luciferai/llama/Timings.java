package ai.luciferai.llama;

/**
 * Where the time of one completion went. Millis are wall-clock.
 *
 * @param promptTokens      tokens of the prompt that were computed
 * @param reusedTokens      tokens of the prompt that were still there from the call before
 * @param promptMillis      until the prompt was computed
 * @param generatedTokens   tokens that were generated, including the one that ended it
 * @param generationMillis  from there to the end
 * @param firstTokenMillis  from the call to the first token
 */
public record Timings(int promptTokens, int reusedTokens, double promptMillis, int generatedTokens, double generationMillis,
        double firstTokenMillis) {

    /** Prompt tokens computed each second; 0 when there were none. */
    public double promptTokensPerSecond() {
        return rate(promptTokens, promptMillis);
    }

    /** Tokens generated each second, the first one left out because the prompt's last step gives it; 0 when there were none. */
    public double generationTokensPerSecond() {
        return rate(generatedTokens - 1, generationMillis);
    }

    public double totalMillis() {
        return promptMillis + generationMillis;
    }

    private static double rate(int tokens, double millis) {
        return tokens > 0 && millis > 0 ? tokens * 1000.0 / millis : 0;
    }
}
