package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import java.util.List;
import java.util.function.Consumer;

/**
 * A conversation in a session. When it no longer fits the context, the oldest exchanges go, whole messages at a time; the system
 * prompt stays.
 *
 * <p><i>Threads</i>: as its session.
 */
public final class Chat {

    Chat() {}

    /** Says something and gets the answer. */
    public Completion send(String text, GenerateOptions options) {
        return send(text, options, token -> {}, Cancel.NONE);
    }

    public Completion send(String text, GenerateOptions options, Consumer<Token> listener, Cancel cancel) {
        return send(List.of(ChatMessage.user(text)), options, listener, cancel);
    }

    /**
     * Adds messages, such as a tool's answers, and gets the model's answer, which joins the history. When it fails, the history
     * is as before.
     *
     * @throws ai.luciferai.llama.core.ContextFullException system prompt and new messages alone do not fit
     */
    public Completion send(List<ChatMessage> messages, GenerateOptions options, Consumer<Token> listener, Cancel cancel) {
        throw new UnsupportedOperationException();
    }

    /** The messages so far, without those that were trimmed; the system prompt first. */
    public List<ChatMessage> history() {
        throw new UnsupportedOperationException();
    }

    /** Messages that were trimmed. */
    public int trimmed() {
        throw new UnsupportedOperationException();
    }

    /** Starts anew with the system prompt alone. */
    public void reset() {
        throw new UnsupportedOperationException();
    }
}
