package ai.luciferai.llama.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Texts as JSON, and as GBNF. */
final class Literals {

    private Literals() {}

    /** JSON without white space, in which nothing is escaped that need not be. */
    static String json(JsonNode value) {
        if (value.isTextual()) {
            return jsonString(value.textValue());
        }
        if (value.isArray()) {
            return StreamSupport.stream(value.spliterator(), false).map(Literals::json).collect(Collectors.joining(",", "[", "]"));
        }
        if (value.isObject()) {
            return value.properties().stream().map(f -> jsonString(f.getKey()) + ":" + json(f.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        return value.toString();
    }

    static String jsonString(String text) {
        return text.codePoints().mapToObj(Literals::jsonCharacter).collect(Collectors.joining("", "\"", "\""));
    }

    static String jsonCharacter(int c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\n' -> "\\n";
            case '\t' -> "\\t";
            case '\r' -> "\\r";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            // half a pair has no UTF-8
            default -> c < 0x20 || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? "\\u%04x".formatted(c)
                    : Character.toString(c);
        };
    }

    /** A text that holds no control characters, as GBNF has it. */
    static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
