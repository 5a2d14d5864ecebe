package ai.luciferai.llama;

/** Decides how much of what a sequence holds serves a new prompt. */
final class PromptCache {

    private PromptCache() {}

    /**
     * Tokens at the start of the prompt that need not be computed again. The last one always is: its logits choose the next token.
     *
     * @param held   tokens whose keys and values the sequence holds
     * @param prompt tokens that are wanted
     */
    static int reusable(TokenList held, int[] prompt) {
        return Math.min(held.commonPrefix(prompt), prompt.length - 1);
    }

    /**
     * Whether a sliding attention window still has what a text that goes on at {@code end} looks back on.
     *
     * @param end    tokens that are kept
     * @param posMin smallest position in memory, -1 when it is empty
     * @param window size of the window, 0: none
     */
    static boolean windowCovers(int end, int posMin, int window) {
        return end > 0 && posMin >= 0 && posMin <= Math.max(0, window > 0 ? end - window : 0);
    }
}
