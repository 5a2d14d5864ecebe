package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Renders the answers of a conversation one by one, each as the template renders a conversation that ends in it.
 *
 * <p>In many templates the rendering with the answer does not begin with the prompt: it lacks the tag that opens the thoughts, has the
 * system's message elsewhere, or leaves out what was thought before. What comes before the answer is then the prompt's as far as the
 * last message, since that is what generation will see, and the rest is that of the rendering with the answer. Where in a rendering a
 * message ends is found by rendering it again with one character more.
 *
 * <p><i>Threads</i>: one.
 */
final class TurnRenderer {

    private static final String NEXT = "\u00b6";
    private static final String THINK = "<think>";

    /** Renders messages, up to where an answer begins or as they are. */
    interface Engine {
        String render(List<ChatMessage> messages, boolean answerNext);
    }

    private final Engine engine;
    private final boolean gptOss;

    /** What the last answers ended with: the same for nearly all of them, and a rendering costs milliseconds. */
    private String usualTail;
    private String usualClosing = "";

    /** Roles of which a message was seen to be rendered. */
    private final Set<String> rendered = new HashSet<>();

    /** @param source of the template, if known */
    TurnRenderer(Engine engine, String source) {
        this.engine = engine;
        this.gptOss = source.contains("<|channel|>") && source.contains("<|return|>");
    }

    /**
     * Renders one answer.
     *
     * @param at index of the answer; later messages play no part
     * @throws InvalidOptionException for what the template refuses or leaves out
     */
    RenderedTurn turn(List<ChatMessage> messages, int at) {
        ChatMessage answer = messages.get(at);
        List<ChatMessage> all = messages.subList(0, at + 1);
        String prompt = engine.render(messages.subList(0, at), true);
        requireGiven(messages.subList(0, at), prompt);
        String answered = answered(all);
        String tail = tail(all, answered);
        RenderedTurn turn = answered.startsWith(prompt)
                ? new RenderedTurn(prompt, answered, prompt.length(), prompt.length(), answered.length() - tail.length())
                : joined(messages, at, prompt, answered, tail);
        if (tail.length() < answered.length() && turn.holds(answer)) {
            return turn;
        }
        if (tail.length() == answered.length() || !answer.reasoning().isBlank()) {
            throw new InvalidOptionException("chatTemplate", "messages of which the chat template renders every part",
                    tail.length() == answered.length() ? "an answer that it leaves out" : "\"reasoning_content\" that it leaves out",
                    "write what the model should answer, thoughts and their tags included, as \"content\", or take another --chat-template");
        }
        return verbatim(prompt, answer.content(), tail);
    }

    /** A template passes over roles that it does not know, such as a misspelt one. Of earlier answers it may leave out what it will. */
    private void requireGiven(List<ChatMessage> given, String prompt) {
        for (int i = 0; i < given.size(); i++) {
            ChatMessage message = given.get(i);
            String content = message.content().strip();
            boolean seen = message.role().equals("assistant") || content.isEmpty()
                    || rendered.contains(message.role()) && prompt.contains(content); // a rendering costs milliseconds
            if (!seen && start(given, i, prompt) == prompt.length()) {
                throw new InvalidOptionException("chatTemplate", "messages of which the chat template renders every part",
                        "one of role '" + message.role() + "' that it leaves out",
                        "give it a role that the template knows, such as system, user or tool, or take another --chat-template");
            }
            rendered.add(message.role());
        }
    }

    /** The prompt up to the last message, and what stands behind that message in the other rendering. */
    private RenderedTurn joined(List<ChatMessage> messages, int at, String prompt, String answered, String tail) {
        String afterPrompt = at == 0 ? prompt : behind(messages.subList(0, at), at - 1, prompt, true);
        String afterAnswered = at == 0 ? answered : behind(messages.subList(0, at + 1), at - 1, answered, false);
        String head = prompt.substring(0, prompt.length() - afterPrompt.length());
        String whole = head + afterAnswered;
        return new RenderedTurn(prompt, whole, head.length(), head.length() + sharedLength(afterPrompt, afterAnswered),
                whole.length() - tail.length());
    }

    /** For templates that strip the thoughts of every answer, as DeepSeek-R1's: the answer as it was given, behind the prompt. */
    private static RenderedTurn verbatim(String prompt, String content, String tail) {
        String answer = content.stripLeading();
        if (answer.startsWith(THINK) && prompt.stripTrailing().endsWith(THINK)) {
            answer = answer.substring(THINK.length());
            answer = prompt.endsWith("\n") ? answer.stripLeading() : answer;
        }
        return new RenderedTurn(prompt, prompt + answer + tail, prompt.length(), prompt.length(), prompt.length() + answer.length());
    }

    /**
     * What the template puts between an answer and a next question, which may be what ends the answer; empty: unknown.
     *
     * @param at index of the answer
     */
    String closing(List<ChatMessage> messages, int at) {
        if (usualClosing.isEmpty()) {
            List<ChatMessage> all = new ArrayList<>(messages.subList(0, at + 1));
            all.add(ChatMessage.user(NEXT));
            try {
                String behind = behind(all, at, engine.render(all, true), true);
                usualClosing = behind.substring(0, Math.max(0, behind.indexOf(NEXT)));
            } catch (InvalidOptionException noQuestionMayFollow) {
                return "";
            }
        }
        return usualClosing;
    }

    /** Where the text of a message begins in a prompt. */
    int start(List<ChatMessage> messages, int index, String prompt) {
        ChatMessage message = messages.get(index);
        String mark = message.content().strip().startsWith("\u00a7") ? NEXT : "\u00a7";
        return sharedLength(prompt, engine.render(with(messages, index, mark + message.content()), true));
    }

    private String tail(List<ChatMessage> all, String answered) {
        String content = all.getLast().content().strip();
        if (usualTail == null || content.isEmpty() || !answered.endsWith(content + usualTail)) {
            usualTail = behind(all, all.size() - 1, answered, false);
        }
        return usualTail;
    }

    /** What stands behind a message; all of it, if the template leaves the message out. */
    private String behind(List<ChatMessage> messages, int index, String rendering, boolean answerNext) {
        String content = messages.get(index).content();
        List<ChatMessage> marked = with(messages, index, content + (content.strip().endsWith("\u00a7") ? NEXT : "\u00a7"));
        String other = answerNext ? engine.render(marked, true) : answered(marked);
        int n = 0;
        while (n < Math.min(rendering.length(), other.length())
                && rendering.charAt(rendering.length() - 1 - n) == other.charAt(other.length() - 1 - n)) {
            n++;
        }
        return rendering.substring(rendering.length() - n);
    }

    private static List<ChatMessage> with(List<ChatMessage> messages, int index, String content) {
        var changed = new ArrayList<>(messages);
        ChatMessage m = messages.get(index);
        changed.set(index, new ChatMessage(m.role(), content, m.reasoning(), m.toolCalls(), m.toolCallId()));
        return changed;
    }

    /** llama.cpp puts the mark between turns, which ends no generation, in place of the one that the template ends gpt-oss' answers with. */
    private String answered(List<ChatMessage> messages) {
        String text = engine.render(messages, false);
        return gptOss && text.endsWith("<|end|>") ? text.substring(0, text.length() - "<|end|>".length()) + "<|return|>" : text;
    }

    /** Length of the common beginning, without half a character. */
    static int sharedLength(String a, String b) {
        int n = 0;
        while (n < Math.min(a.length(), b.length()) && a.charAt(n) == b.charAt(n)) {
            n++;
        }
        return n > 0 && Character.isHighSurrogate(a.charAt(n - 1)) ? n - 1 : n;
    }
}
