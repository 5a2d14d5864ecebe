package ai.luciferai.llama;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/**
 * Shortens a conversation at message borders. An exchange (a user's message and all up to the next one) goes as a whole, the oldest
 * first; leading system messages and the messages of the current turn stay.
 */
final class HistoryTrimmer {

    private final ToIntFunction<List<ChatMessage>> tokens;

    /** @param tokens length of messages as a prompt */
    HistoryTrimmer(ToIntFunction<List<ChatMessage>> tokens) {
        this.tokens = tokens;
    }

    /**
     * The messages without as many of the oldest exchanges as it takes to come down to {@code target}, or to what must stay.
     *
     * @param messages history and current turn
     * @param current  how many messages at the end are the current turn
     * @param target   wanted length in tokens
     */
    List<ChatMessage> trim(List<ChatMessage> messages, int current, int target) {
        List<ChatMessage> kept = new ArrayList<>(messages);
        int head = leadingSystem(kept);
        while (kept.size() - head > current && tokens.applyAsInt(kept) > target) {
            kept.subList(head, endOfExchange(kept, head, kept.size() - current)).clear();
        }
        return kept;
    }

    private static int leadingSystem(List<ChatMessage> messages) {
        int n = 0;
        while (n < messages.size() && messages.get(n).role().equals("system")) {
            n++;
        }
        return n;
    }

    private static int endOfExchange(List<ChatMessage> messages, int start, int limit) {
        int end = start + 1;
        while (end < limit && !messages.get(end).role().equals("user")) {
            end++;
        }
        return Math.min(end, limit);
    }
}
