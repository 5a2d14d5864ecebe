package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.charset.StandardCharsets;

/**
 * A metadata value that replaces the file's one while the model is loaded.
 *
 * @param key   metadata key, such as {@code llama.context_length}
 * @param value a {@link Long}, {@link Double}, {@link Boolean} or {@link String}
 */
public record KvOverride(String key, Object value) {

    private static final int MOST_BYTES = 127;
    private static final String FORM = "KEY=int:N, KEY=float:X, KEY=bool:true|false or KEY=str:TEXT";

    public KvOverride {
        Check.notEmpty("override-kv", key);
        Check.require(bytes(key) <= MOST_BYTES, "override-kv", "a key of at most " + MOST_BYTES + " bytes", key);
        Check.require(value instanceof Long || value instanceof Double || value instanceof Boolean || value instanceof String,
                "override-kv " + key, "a Long, Double, Boolean or String", value);
        Check.require(!(value instanceof Long n) || n >= Integer.MIN_VALUE && n < 1L << 32, "override-kv " + key, "a whole number of 32 bits", value);
        Check.require(!(value instanceof Double x) || Float.isFinite(x.floatValue()), "override-kv " + key, "a finite number of 32 bits", value);
        Check.require(!(value instanceof String s) || bytes(s) <= MOST_BYTES,
                "override-kv " + key, "a text of at most " + MOST_BYTES + " bytes", value);
    }

    public static KvOverride of(String key, long value) {
        return new KvOverride(key, value);
    }

    public static KvOverride of(String key, double value) {
        return new KvOverride(key, value);
    }

    public static KvOverride of(String key, boolean value) {
        return new KvOverride(key, value);
    }

    public static KvOverride of(String key, String value) {
        return new KvOverride(key, value);
    }

    /** Reads llama.cpp's notation: {@code KEY=int:N}, {@code KEY=float:X}, {@code KEY=bool:true}, {@code KEY=str:TEXT}. */
    public static KvOverride parse(String text) {
        int equals = text.indexOf('=');
        int colon = text.indexOf(':', equals + 1);
        Check.require(equals > 0 && colon > equals, "override-kv", FORM, text);
        String key = text.substring(0, equals);
        String value = text.substring(colon + 1);
        try {
            return switch (text.substring(equals + 1, colon)) {
                case "int" -> of(key, Long.parseLong(value));
                case "float" -> of(key, Double.parseDouble(value));
                case "bool" -> of(key, bool(value, text));
                case "str" -> of(key, value);
                default -> throw new InvalidOptionException("override-kv", FORM, text);
            };
        } catch (NumberFormatException e) {
            throw new InvalidOptionException("override-kv", FORM, text);
        }
    }

    private static boolean bool(String value, String text) {
        Check.require(value.equals("true") || value.equals("false"), "override-kv", FORM, text);
        return value.equals("true");
    }

    private static int bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8).length;
    }
}
