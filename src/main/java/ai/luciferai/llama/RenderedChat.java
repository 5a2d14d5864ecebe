package ai.luciferai.llama;

import java.util.List;

/**
 * Messages as a prompt.
 *
 * @param prompt          the text; tokenize it with {@link TokenizeOptions#defaults()}
 * @param stops           texts that end the assistant's answer
 * @param preservedTokens control tokens that belong into the answer's text, such as {@code <think>}
 * @param toolGrammar     the form of tool calls
 * @param thinkingStart   where thinking begins; empty: the model does not think
 * @param thinkingEnd     texts that end it
 */
public record RenderedChat(String prompt, List<String> stops, List<String> preservedTokens, ToolGrammar toolGrammar,
        String thinkingStart, List<String> thinkingEnd) {

    /**
     * The form of tool calls in this model's answers.
     *
     * @param gbnf             grammar; empty: none
     * @param lazy             whether it holds only from a trigger on
     * @param triggerPatterns  regular expressions that start it
     * @param triggerTokens    tokens that start it
     * @param generationPrompt what the prompt already has of the answer
     */
    public record ToolGrammar(String gbnf, boolean lazy, List<String> triggerPatterns, List<Integer> triggerTokens,
            String generationPrompt) {

        public ToolGrammar {
            triggerPatterns = List.copyOf(triggerPatterns);
            triggerTokens = List.copyOf(triggerTokens);
        }

        /** No form. */
        public static ToolGrammar none() {
            return new ToolGrammar("", false, List.of(), List.of(), "");
        }
    }

    public RenderedChat {
        stops = List.copyOf(stops);
        preservedTokens = List.copyOf(preservedTokens);
        thinkingEnd = List.copyOf(thinkingEnd);
    }
}
