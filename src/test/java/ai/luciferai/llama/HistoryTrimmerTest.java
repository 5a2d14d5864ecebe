package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class HistoryTrimmerTest {

    /** Ten tokens a message. */
    private final HistoryTrimmer trimmer = new HistoryTrimmer(messages -> messages.size() * 10);

    @Test
    void keepsAHistoryThatFits() {
        List<ChatMessage> messages = conversation(2);
        assertEquals(messages, trimmer.trim(messages, 1, 1_000));
    }

    @Test
    void dropsTheOldestExchangesAndKeepsTheSystemMessage() {
        List<ChatMessage> messages = conversation(3);
        List<ChatMessage> kept = trimmer.trim(messages, 1, 45);
        assertEquals(List.of("system", "user 2", "assistant 2", "user now"), texts(kept));
    }

    @Test
    void aToolsAnswerGoesWithItsExchange() {
        List<ChatMessage> messages = List.of(ChatMessage.user("a"), ChatMessage.assistant("call"), ChatMessage.tool("1", "result"),
                ChatMessage.assistant("b"), ChatMessage.user("now"));
        assertEquals(List.of("now"), texts(trimmer.trim(messages, 1, 40)));
    }

    @Test
    void neverDropsTheCurrentTurn() {
        List<ChatMessage> messages = conversation(2);
        assertEquals(List.of("system", "user now"), texts(trimmer.trim(messages, 1, 0)));
    }

    @Test
    void keepsToolAnswersOfTheCurrentTurnTogether() {
        List<ChatMessage> messages = List.of(ChatMessage.user("q"), ChatMessage.assistant("call"), ChatMessage.tool("1", "r1"),
                ChatMessage.tool("2", "r2"));
        assertEquals(List.of("r1", "r2"), texts(trimmer.trim(messages, 2, 0)));
    }

    private static List<ChatMessage> conversation(int exchanges) {
        List<ChatMessage> messages = new ArrayList<>(List.of(ChatMessage.system("system")));
        for (int i = 0; i < exchanges; i++) {
            messages.add(ChatMessage.user("user " + i));
            messages.add(ChatMessage.assistant("assistant " + i));
        }
        messages.add(ChatMessage.user("user now"));
        return messages;
    }

    private static List<String> texts(List<ChatMessage> messages) {
        return messages.stream().map(ChatMessage::content).toList();
    }
}
