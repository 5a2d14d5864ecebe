package ai.luciferai.llama;

/**
 * A conversation.
 *
 * @param systemPrompt its first message, which is never trimmed; empty: none
 * @param format       how messages become a prompt
 * @param reserve      tokens of the context that are kept free for an answer, when history is trimmed; 0: a quarter of it
 */
public record ChatOptions(String systemPrompt, ChatFormat format, int reserve) {

    public ChatOptions {
        Check.present("system-prompt", systemPrompt);
        Check.present("chat format", format);
        Check.atLeast("reserve", reserve, 0);
    }

    public static ChatOptions defaults() {
        return new ChatOptions("", ChatFormat.defaults(), 0);
    }

    public ChatOptions withSystemPrompt(String v) {
        return new ChatOptions(v, format, reserve);
    }

    public ChatOptions withFormat(ChatFormat v) {
        return new ChatOptions(systemPrompt, v, reserve);
    }

    public ChatOptions withTemplate(ChatTemplate v) {
        return withFormat(format.withTemplate(v));
    }

    public ChatOptions withReserve(int v) {
        return new ChatOptions(systemPrompt, format, v);
    }
}
