package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.JsonFault;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Messages as JSON in OpenAI's form, and a rendered chat out of JSON: how the chat engine is spoken to. */
final class ChatJson {

    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatJson() {}

    static String request(List<ChatMessage> messages, ChatFormat format) {
        ObjectNode root = JSON.createObjectNode();
        ArrayNode array = root.putArray("messages");
        messages.forEach(m -> array.add(message(m)));
        if (!format.tools().isBlank()) {
            root.set("tools", tools(format.tools()));
        }
        root.put("add_generation_prompt", format.answerNext());
        root.put("enable_thinking", format.thinking());
        if (!format.arguments().isEmpty()) {
            ObjectNode arguments = root.putObject("template_kwargs");
            format.arguments().forEach(arguments::put);
        }
        return root.toString();
    }

    private static ObjectNode message(ChatMessage message) {
        ObjectNode node = JSON.createObjectNode();
        node.put("role", message.role());
        node.put("content", message.content());
        putIfAny(node, "reasoning_content", message.reasoning());
        putIfAny(node, "tool_call_id", message.toolCallId());
        if (!message.toolCalls().isEmpty()) {
            ArrayNode calls = node.putArray("tool_calls");
            message.toolCalls().forEach(call -> addCall(calls, call));
        }
        return node;
    }

    private static void addCall(ArrayNode calls, ChatMessage.ToolCall call) {
        ObjectNode node = calls.addObject();
        node.put("type", "function");
        node.put("id", call.id());
        node.putObject("function").put("name", call.name()).put("arguments", call.arguments());
    }

    private static void putIfAny(ObjectNode node, String name, String value) {
        if (!value.isEmpty()) {
            node.put(name, value);
        }
    }

    static JsonNode tools(String text) {
        String expected = "a JSON array of tool definitions";
        try {
            JsonNode tools = JSON.readTree(text);
            Check.require(tools.isArray(), "tools", expected, tools.getNodeType());
            return tools;
        } catch (JsonProcessingException e) {
            throw new InvalidOptionException("tools", expected, JsonFault.text(e.getOriginalMessage()));
        }
    }

    /** Variables of a template: name to JSON text. */
    static Map<String, String> arguments(String text) {
        String option = "chat-template-kwargs";
        String expected = "a JSON object: variables of the chat template by name";
        try {
            JsonNode object = JSON.readTree(text);
            Check.require(object.isObject(), option, expected, object.getNodeType());
            var arguments = new LinkedHashMap<String, String>();
            object.properties().forEach(member -> arguments.put(member.getKey(), member.getValue().toString()));
            return arguments;
        } catch (JsonProcessingException e) {
            throw new InvalidOptionException(option, expected, JsonFault.text(e.getOriginalMessage()));
        }
    }

    static RenderedChat response(String json) {
        try {
            JsonNode root = JSON.readTree(json);
            return new RenderedChat(root.path("prompt").asText(), texts(root.path("stops")), texts(root.path("preserved_tokens")),
                    grammar(root), root.path("thinking_start").asText(), texts(root.path("thinking_end")));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the chat engine answered what is no JSON: " + json, e);
        }
    }

    private static RenderedChat.ToolGrammar grammar(JsonNode root) {
        List<Integer> triggers = new ArrayList<>();
        root.path("grammar_trigger_tokens").forEach(t -> triggers.add(t.asInt()));
        return new RenderedChat.ToolGrammar(root.path("grammar").asText(), root.path("grammar_lazy").asBoolean(),
                texts(root.path("grammar_trigger_patterns")), triggers, root.path("generation_prompt").asText());
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(t -> texts.add(t.asText()));
        return texts;
    }
}
