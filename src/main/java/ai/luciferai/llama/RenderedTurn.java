package ai.luciferai.llama;

import java.util.ArrayList;
import java.util.List;

/**
 * An answer as the chat template renders it when a conversation ends in it.
 *
 * @param prompt    what generation would be given in its place
 * @param whole     what is learnt from: the conversation, this answer and what the template puts behind it
 * @param asked     characters of {@code whole} up to the end of the last message before the answer: none of them is learnt
 * @param shared    characters that prompt and whole begin with, at least {@code asked}
 * @param answerEnd where the answer's own text ends in {@code whole}
 */
record RenderedTurn(String prompt, String whole, int asked, int shared, int answerEnd) {

    /** Whether the answer simply follows the prompt. */
    boolean followsPrompt() {
        return shared == prompt.length();
    }

    String body() {
        return whole.substring(0, answerEnd);
    }

    String tail() {
        return whole.substring(answerEnd);
    }

    /** Whether thoughts and answer all stand there; templates trim them and set tags of their own around the thoughts. */
    boolean holds(ChatMessage answer) {
        int to = answerEnd;
        for (String part : parts(answer).reversed()) {
            int at = whole.lastIndexOf(part, to - part.length());
            if (at < 0 || at + part.length() <= shared) {
                return false;
            }
            to = at;
        }
        return true;
    }

    private static List<String> parts(ChatMessage answer) {
        var parts = new ArrayList<String>();
        parts.add(answer.reasoning().strip());
        for (String part : answer.content().split("</?think>")) {
            parts.add(part.strip());
        }
        parts.removeIf(String::isEmpty);
        return parts;
    }
}
