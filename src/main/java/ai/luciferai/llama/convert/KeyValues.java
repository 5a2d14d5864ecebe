package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.hf.JsonObject;
import java.nio.file.Path;
import java.util.List;

/**
 * The metadata of the output while it is put together, with the habits of the reference's writer: a key that is written again keeps its
 * place, empty texts and arrays are not written, and a key that begins with a dot belongs to the architecture.
 *
 * <p>Numbers are taken as they come from JSON; a value of the wrong kind is reported with the configuration that it came from.
 */
final class KeyValues {

    private final Metadata.Builder values;
    private final String architecture;
    private final Path configuration;

    KeyValues(String architecture, Path configuration) {
        this(Metadata.builder().string(Metadata.ARCHITECTURE, architecture), architecture, configuration);
    }

    private KeyValues(Metadata.Builder values, String architecture, Path configuration) {
        this.values = values;
        this.architecture = architecture;
        this.configuration = configuration;
    }

    /** The same metadata, for values that come from another file: that one is named when they are of the wrong kind. */
    KeyValues from(Path file) {
        return new KeyValues(values, architecture, file);
    }

    /** What was collected so far. */
    Metadata build() {
        return values.build();
    }

    /** What was collected so far; errors about it name the configuration. */
    Metadata checkable() {
        return values.build().at(configuration);
    }

    String architecture() {
        return architecture;
    }

    void string(String key, Object value) {
        if (!(value instanceof String text)) {
            throw wrong(key, "a string", value);
        }
        if (!text.isEmpty()) {
            values.string(full(key), text);
        }
    }

    void u32(String key, Object value) {
        values.uint32(full(key), whole(key, value, 0, 0xFFFFFFFFL));
    }

    void i32(String key, Object value) {
        values.integer(full(key), GgufType.INT32, whole(key, value, Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    void u16(String key, long value) {
        values.integer(full(key), GgufType.UINT16, value);
    }

    void f32(String key, Object value) {
        if (!(value instanceof Number number)) {
            throw wrong(key, "a number", value);
        }
        values.float32(full(key), number.floatValue());
    }

    void bool(String key, Object value) {
        if (!(value instanceof Boolean flag)) {
            throw wrong(key, "true or false", value);
        }
        values.bool(full(key), flag);
    }

    /** A u32 or, for a value per layer, an array. */
    void u32OrList(String key, Object value) {
        if (value instanceof List<?> list) {
            list(key, list);
        } else {
            u32(key, value);
        }
    }

    /** A JSON list; its first element decides the type: text, truth value, float, else i32. */
    void list(String key, List<?> list) {
        if (list.isEmpty()) {
            return;
        }
        array(key, switch (list.getFirst()) {
            case String text -> GgufArray.ofStrings(list.stream().map(String::valueOf).toList());
            case Boolean flag -> {
                boolean[] flags = new boolean[list.size()];
                for (int i = 0; i < flags.length; i++) {
                    flags[i] = Boolean.TRUE.equals(list.get(i));
                }
                yield GgufArray.ofBools(flags);
            }
            case Double number -> {
                float[] floats = new float[list.size()];
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = list.get(i) instanceof Number n ? n.floatValue() : Float.NaN;
                }
                yield GgufArray.ofFloat32(floats);
            }
            default -> GgufArray.ofInt32(list.stream()
                    .mapToInt(item -> (int) whole(key, item, Integer.MIN_VALUE, Integer.MAX_VALUE)).toArray());
        });
    }

    void array(String key, GgufArray array) {
        if (array.length() > 0) {
            values.array(full(key), array);
        }
    }

    void remove(String key) {
        values.remove(full(key));
    }

    boolean has(String key) {
        return values.build().has(full(key));
    }

    private String full(String key) {
        return key.startsWith(".") ? architecture + key : key;
    }

    private long whole(String key, Object value, long min, long max) {
        if (value instanceof Double number && number == Math.rint(number) && Math.abs(number) < 1e15) {
            value = number.longValue();
        }
        if (!(value instanceof Number number) || value instanceof Double || number.longValue() < min || number.longValue() > max) {
            throw wrong(key, "a whole number from " + min + " to " + max, value);
        }
        return number.longValue();
    }

    private InvalidFileException wrong(String key, String expected, Object value) {
        return new InvalidFileException(configuration, "value for GGUF key '" + full(key) + "'", expected, JsonObject.kind(value));
    }
}
