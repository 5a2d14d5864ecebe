package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidOptionException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Conversations with the embedded model, whose own template is ChatML. */
class ChatIT {

    private static Model model;

    @BeforeAll
    static void load() {
        model = Tiny.load();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void rendersWithTheModelsOwnTemplate() {
        RenderedChat chat = model.renderChat(List.of(ChatMessage.system("S"), ChatMessage.user("U")), ChatFormat.defaults());
        assertEquals("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n", chat.prompt());
        RenderedChat closed = model.renderChat(List.of(ChatMessage.user("U")), ChatFormat.defaults().withAnswerNext(false));
        assertTrue(closed.prompt().endsWith("U<|im_end|>\n"), closed.prompt());
    }

    @Test
    void rendersWithAnotherTemplate() {
        List<ChatMessage> messages = List.of(ChatMessage.user("U"));
        String jinja = "{% for m in messages %}[{{ m.role }}:{{ m.content }}:{{ mood }}]{% endfor %}";
        ChatFormat own = ChatFormat.defaults().withTemplate(ChatTemplate.jinja(jinja)).withArguments(Map.of("mood", "\"good\""));
        assertEquals("[user:U:good]", model.renderChat(messages, own).prompt());
        String llama3 = model.renderChat(messages, ChatFormat.defaults().withTemplate(ChatTemplate.named("llama3"))).prompt();
        assertTrue(llama3.contains("<|start_header_id|>user<|end_header_id|>"), llama3);
    }

    @Test
    void aTemplateThatDoesNotParseIsTyped() {
        ChatFormat broken = ChatFormat.defaults().withTemplate(ChatTemplate.jinja("{% for m in %}"));
        InvalidOptionException e = assertThrows(InvalidOptionException.class,
                () -> model.renderChat(List.of(ChatMessage.user("U")), broken));
        assertTrue(e.getMessage().toLowerCase(java.util.Locale.ROOT).contains("template"), e.getMessage());
        ChatFormat unknown = ChatFormat.defaults().withTemplate(ChatTemplate.named("no-such-template"));
        assertThrows(InvalidOptionException.class, () -> model.renderChat(List.of(ChatMessage.user("U")), unknown));
        ChatFormat tools = ChatFormat.defaults().withTools("{not json");
        assertThrows(InvalidOptionException.class, () -> model.renderChat(List.of(ChatMessage.user("U")), tools));
    }

    @Test
    void answersAndRemembers() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            Chat chat = session.chat(ChatOptions.defaults().withSystemPrompt("You are a shell."));
            Completion first = chat.send("list files", Tiny.greedy(16));
            assertEquals(3, chat.history().size());
            assertEquals(ChatMessage.assistant(first.text()), chat.history().get(2));
            Completion second = chat.send("show disk usage", Tiny.greedy(16));
            assertEquals(5, chat.history().size());
            assertTrue(second.timings().reusedTokens() > 20, second.timings().toString());
            chat.reset();
            assertEquals(List.of(ChatMessage.system("You are a shell.")), chat.history());
            assertEquals(first.text(), chat.send("list files", Tiny.greedy(16)).text());
        }
    }

    @Test
    void trimsAtMessageBordersAndKeepsTheSystemPrompt() {
        try (Session session = model.session(Tiny.CONTEXT.withContextSize(256))) {
            Chat chat = session.chat(ChatOptions.defaults().withSystemPrompt("You are a shell.").withReserve(32));
            for (int i = 0; i < 12; i++) {
                chat.send("show the first " + i + " lines of notes.txt and then list all files", Tiny.greedy(24));
            }
            List<ChatMessage> history = chat.history();
            assertTrue(chat.trimmed() > 0 && chat.trimmed() % 2 == 0, "trimmed " + chat.trimmed());
            assertEquals("system", history.get(0).role());
            assertEquals("user", history.get(1).role());
            assertEquals(1 + 24, history.size() + chat.trimmed());
            assertTrue(history.get(history.size() - 2).content().startsWith("show the first 11"));
        }
    }

    @Test
    void aMessageThatCannotFitIsRefusedAndForgotten() {
        try (Session session = model.session(Tiny.CONTEXT.withContextSize(256))) {
            Chat chat = session.chat(ChatOptions.defaults());
            chat.send("list files", Tiny.greedy(8));
            assertThrows(ContextFullException.class, () -> chat.send("word ".repeat(600), Tiny.greedy(8)));
            assertEquals(2, chat.history().size());
            assertTrue(!chat.send("list files", Tiny.greedy(8)).text().isEmpty());
        }
    }

    @Test
    void toolCallsAndThinkingGoThroughTheTemplateUnharmed() {
        String jinja = """
                {%- for m in messages -%}
                <|{{ m.role }}|>{% if m.reasoning_content %}<think>{{ m.reasoning_content }}</think>{% endif %}{{ m.content }}
                {%- for c in m.tool_calls or [] %}<tool_call>{{ c.function.name }}</tool_call>{% endfor %}
                {%- endfor -%}
                {%- if add_generation_prompt %}<|assistant|>{% endif -%}""";
        ChatMessage called = ChatMessage.assistant("").withReasoning("hm")
                .withToolCalls(List.of(new ChatMessage.ToolCall("1", "ls", "{\"path\": \"/\"}")));
        List<ChatMessage> messages = List.of(ChatMessage.user("U"), called, ChatMessage.tool("1", "a b"));
        String prompt = model.renderChat(messages, ChatFormat.defaults().withTemplate(ChatTemplate.jinja(jinja))).prompt();
        assertTrue(prompt.contains("<think>hm</think>") && prompt.contains("<tool_call>ls</tool_call>"), prompt);
        assertTrue(prompt.contains("<|tool|>a b"), prompt);
    }

    @Test
    void cancelledAnswersStayInTheHistoryAsFarAsTheyWent() {
        Cancel cancel = new Cancel();
        try (Session session = model.session(Tiny.CONTEXT)) {
            Chat chat = session.chat(ChatOptions.defaults());
            Completion c = chat.send("list files", Tiny.endless(), token -> cancel.request(), cancel);
            assertEquals(StopReason.CANCELLED, c.stopReason());
            assertEquals(ChatMessage.assistant(c.text()), chat.history().getLast());
        }
    }
}
