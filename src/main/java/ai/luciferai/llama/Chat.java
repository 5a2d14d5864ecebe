package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A conversation in a session. When it no longer fits the context, the oldest exchanges go, whole messages at a time; the system
 * prompt stays.
 *
 * <p><i>Threads</i>: as its session.
 */
public final class Chat {

    private static final int RESERVE_SHARE = 4;

    /** Trimming goes on until this share of the context is free beside the answer, so that it does not happen at every turn. */
    private static final int SLACK_SHARE = 8;

    private final Session session;
    private final ChatOptions options;
    private List<ChatMessage> history;
    private int trimmed;

    Chat(Session session, ChatOptions options) {
        this.session = session;
        this.options = options;
        reset();
    }

    /** Says something and gets the answer. */
    public Completion send(String text, GenerateOptions generateOptions) {
        return send(text, generateOptions, token -> {}, Cancel.NONE);
    }

    public Completion send(String text, GenerateOptions generateOptions, Consumer<Token> listener, Cancel cancel) {
        return send(List.of(ChatMessage.user(text)), generateOptions, listener, cancel);
    }

    /**
     * Adds messages, such as a tool's answers, and gets the model's answer, which joins the history as it was generated, tool calls
     * and thinking included. When it fails, the history is as before.
     *
     * @throws ai.luciferai.llama.core.ContextFullException system prompt and new messages alone do not fit
     */
    public Completion send(List<ChatMessage> messages, GenerateOptions generateOptions, Consumer<Token> listener, Cancel cancel) {
        List<ChatMessage> all = new ArrayList<>(history);
        all.addAll(messages);
        List<ChatMessage> kept = fitting(all, messages.size(), generateOptions.maxTokens(), cancel);
        RenderedChat rendered = render(kept);
        int[] prompt = tokens(rendered, cancel);
        session.requireFits("system prompt and message", prompt.length);
        GenerationPlan plan = GenerationPlan.of(generateOptions, rendered, preserved(rendered));
        Completion answer = session.complete(prompt, plan, listener, cancel);
        trimmed += all.size() - kept.size();
        kept.add(ChatMessage.assistant(answer.text()));
        history = kept;
        return answer;
    }

    private List<ChatMessage> fitting(List<ChatMessage> all, int current, int maxTokens, Cancel cancel) {
        int room = session.contextSize();
        int reserve = options.reserve() > 0 ? Math.min(options.reserve(), room) : room / RESERVE_SHARE;
        int answer = maxTokens >= 0 ? Math.min(maxTokens, reserve) : reserve;
        var trimmer = new HistoryTrimmer(history -> tokens(render(history), cancel).length);
        if (tokens(render(all), cancel).length + answer <= room) {
            return all;
        }
        return trimmer.trim(all, current, room - answer - room / SLACK_SHARE);
    }

    private RenderedChat render(List<ChatMessage> messages) {
        return session.model().renderChat(messages, options.format());
    }

    private int[] tokens(RenderedChat rendered, Cancel cancel) {
        return session.model().tokenize(rendered.prompt(), TokenizeOptions.defaults(), cancel);
    }

    /** Ids of the control tokens that belong into the answer. */
    private Set<Integer> preserved(RenderedChat rendered) {
        Set<Integer> ids = new HashSet<>();
        for (String text : rendered.preservedTokens()) {
            int[] tokens = session.model().tokenize(text, new TokenizeOptions(false, true));
            if (tokens.length == 1) {
                ids.add(tokens[0]);
            }
        }
        return ids;
    }

    /** The messages so far, without those that were trimmed; the system prompt first. */
    public List<ChatMessage> history() {
        return List.copyOf(history);
    }

    /** How many messages were trimmed. */
    public int trimmed() {
        return trimmed;
    }

    /** Starts anew with the system prompt alone. */
    public void reset() {
        trimmed = 0;
        history = options.systemPrompt().isEmpty() ? List.of() : List.of(ChatMessage.system(options.systemPrompt()));
    }
}
