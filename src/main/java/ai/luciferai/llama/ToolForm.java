package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.schema.JsonSchema;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The form of tool calls, in which parameters satisfy their JSON schemas: rules that llama.cpp made of them are replaced by ours. What
 * cannot be kept of a tool's schema is left out with a warning, as other programs' tools are not theirs to change.
 *
 * <p><i>Source</i>: the names of rules in common/chat-auto-parser-generator.cpp and common/parsers of llama.cpp v0.5.0.
 */
final class ToolForm {

    private static volatile Set<String> said = Set.of(); // of the last tools

    private ToolForm() {}

    static RenderedChat kept(RenderedChat chat, String tools) {
        RenderedChat.ToolGrammar grammar = chat.toolGrammar();
        if (grammar.gbnf().isEmpty() || tools.isBlank()) {
            return chat;
        }
        String gbnf = kept(grammar.gbnf(), ChatJson.tools(tools));
        return new RenderedChat(chat.prompt(), chat.stops(), chat.preservedTokens(), new RenderedChat.ToolGrammar(gbnf, grammar.lazy(),
                grammar.triggerPatterns(), grammar.triggerTokens(), grammar.generationPrompt()), chat.thinkingStart(), chat.thinkingEnd());
    }

    /** A schema within a tool's parameters. */
    private record Part(String tool, JsonNode parameters, String pointer) {}

    static String kept(String gbnf, JsonNode tools) {
        Map<String, Part> parts = parts(tools);
        Set<String> warnings = new HashSet<>();
        StringBuilder out = new StringBuilder();
        int replaced = 0;
        for (String line : gbnf.split("\n")) {
            int end = line.indexOf(" ::= ");
            Part part = end < 0 ? null : parts.get(line.substring(0, end));
            out.append(part == null ? line + "\n" : rules(part, line.substring(0, end), "kept-" + replaced++ + "-", warnings));
        }
        if (!warnings.equals(said)) {
            warnings.forEach(w -> System.getLogger(ToolForm.class.getName()).log(System.Logger.Level.WARNING, w));
            said = Set.copyOf(warnings);
        }
        return out.toString();
    }

    /** By the names of their rules; where two schemas have the same, llama.cpp tells them apart by their contents, and we cannot. */
    private static Map<String, Part> parts(JsonNode tools) {
        Map<String, List<Part>> named = new HashMap<>();
        for (JsonNode tool : tools) {
            String name = tool.path("function").path("name").asText();
            JsonNode parameters = tool.path("function").path("parameters");
            if (!parameters.isObject()) {
                continue;
            }
            add(named, "tool-" + name + "-schema", new Part(name, parameters, ""));
            parameters.path("properties").fieldNames().forEachRemaining(p -> add(named, "tool-" + name + "-arg-" + p + "-schema",
                    new Part(name, parameters, "/properties/" + p.replace("~", "~0").replace("/", "~1"))));
        }
        Map<String, Part> parts = new HashMap<>();
        named.forEach((rule, same) -> {
            if (same.size() == 1) {
                parts.put(rule, same.getFirst());
            }
        });
        return parts;
    }

    private static void add(Map<String, List<Part>> named, String rule, Part part) {
        named.computeIfAbsent(rule.replaceAll("[^a-zA-Z0-9-]+", "-"), r -> new ArrayList<>()).add(part);
    }

    private static String rules(Part part, String rule, String prefix, Set<String> warnings) {
        try {
            JsonSchema.Form form = JsonSchema.form(part.parameters().toString(), part.pointer(), true, rule, prefix, Cancel.NONE);
            form.ignored().forEach(place -> warnings.add("parameters of the tool " + part.tool() + " are kept but for " + place));
            return form.gbnf();
        } catch (InvalidOptionException e) {
            throw new InvalidOptionException("tools", e.expected(), "for '" + part.tool() + "' " + e.got(), e.hint());
        }
    }
}
