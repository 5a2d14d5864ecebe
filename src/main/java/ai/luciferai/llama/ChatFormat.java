package ai.luciferai.llama;

import java.util.Map;

/**
 * How messages are rendered.
 *
 * @param template    which template
 * @param tools       JSON array of tool definitions in OpenAI's form; empty: none
 * @param thinking    whether a model that can think first is asked to
 * @param arguments   further variables of the template: name to JSON text
 * @param answerNext  whether the prompt ends where the assistant's answer begins
 */
public record ChatFormat(ChatTemplate template, String tools, boolean thinking, Map<String, String> arguments,
        boolean answerNext) {

    public ChatFormat {
        Check.present("chat-template", template);
        Check.present("tools", tools);
        arguments = Map.copyOf(arguments);
    }

    public static ChatFormat defaults() {
        return new ChatFormat(ChatTemplate.own(), "", true, Map.of(), true);
    }

    public ChatFormat withTemplate(ChatTemplate v) {
        return new ChatFormat(v, tools, thinking, arguments, answerNext);
    }

    public ChatFormat withTools(String v) {
        return new ChatFormat(template, v, thinking, arguments, answerNext);
    }

    public ChatFormat withThinking(boolean v) {
        return new ChatFormat(template, tools, v, arguments, answerNext);
    }

    public ChatFormat withArguments(Map<String, String> v) {
        return new ChatFormat(template, tools, thinking, v, answerNext);
    }

    /** With variables of the template out of a JSON object: {@code {"reasoning_effort": "low"}}. */
    public ChatFormat withArguments(String json) {
        return withArguments(ChatJson.arguments(json));
    }

    public ChatFormat withAnswerNext(boolean v) {
        return new ChatFormat(template, tools, thinking, arguments, v);
    }
}
