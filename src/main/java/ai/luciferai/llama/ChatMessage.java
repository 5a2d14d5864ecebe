package ai.luciferai.llama;

import java.util.List;

/**
 * One message of a conversation, in OpenAI's form.
 *
 * @param role       "system", "user", "assistant" or "tool"
 * @param content    its text
 * @param reasoning  what the assistant thought before it, where the model keeps that apart; empty: nothing
 * @param toolCalls  calls that the assistant asked for
 * @param toolCallId of a tool's message: the call that it answers; empty otherwise
 */
public record ChatMessage(String role, String content, String reasoning, List<ToolCall> toolCalls, String toolCallId) {

    /**
     * A call of a tool.
     *
     * @param id        pairs call and answer
     * @param name      the tool
     * @param arguments JSON object, as text
     */
    public record ToolCall(String id, String name, String arguments) {

        public ToolCall {
            Check.notEmpty("tool call name", name);
            Check.present("tool call id", id);
            Check.present("tool call arguments", arguments);
        }
    }

    public ChatMessage {
        Check.notEmpty("message role", role);
        Check.present("message content", content);
        Check.present("message reasoning", reasoning);
        Check.present("message toolCallId", toolCallId);
        toolCalls = List.copyOf(toolCalls);
    }

    public static ChatMessage of(String role, String content) {
        return new ChatMessage(role, content, "", List.of(), "");
    }

    public static ChatMessage system(String content) {
        return of("system", content);
    }

    public static ChatMessage user(String content) {
        return of("user", content);
    }

    public static ChatMessage assistant(String content) {
        return of("assistant", content);
    }

    /** A tool's answer to the call with this id. */
    public static ChatMessage tool(String toolCallId, String content) {
        return new ChatMessage("tool", content, "", List.of(), toolCallId);
    }

    public ChatMessage withReasoning(String v) {
        return new ChatMessage(role, content, v, toolCalls, toolCallId);
    }

    public ChatMessage withToolCalls(List<ToolCall> v) {
        return new ChatMessage(role, content, reasoning, v, toolCallId);
    }
}
