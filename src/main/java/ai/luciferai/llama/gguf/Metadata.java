package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The key-value pairs of a GGUF file, in the file's order. Immutable.
 *
 * <p>A value is held as a {@link Long} (integer types; unsigned 64-bit numbers by their bits), {@link Double}, {@link Boolean},
 * {@link String} or {@link GgufArray}. The typed getters accept every type that holds such a value: {@code integer} takes u8 as well
 * as i64. What is missing or of another kind is an {@link InvalidFileException} that names the key.
 */
public final class Metadata {

    /** Key of the architecture's name, the prefix of its own keys. */
    public static final String ARCHITECTURE = "general.architecture";
    /** Key of the alignment of tensor data. */
    public static final String ALIGNMENT = "general.alignment";
    /** Alignment of files that do not say: GGUF_DEFAULT_ALIGNMENT. */
    public static final int DEFAULT_ALIGNMENT = 32;

    /**
     * One value.
     *
     * @param type  type in the file
     * @param value see the class
     */
    public record Value(GgufType type, Object value) {}

    private final Path path;
    private final Map<String, Value> values;

    Metadata(Path path, Map<String, Value> values) {
        this.path = path;
        this.values = Collections.unmodifiableMap(values);
    }

    /** Starts an empty set of pairs. */
    public static Builder builder() {
        return new Builder(Path.of("metadata being built"), new LinkedHashMap<>());
    }

    /** The same pairs with another file in the errors: the one that they were made of. */
    public Metadata at(Path file) {
        return new Metadata(file, values);
    }

    /** Starts with these pairs. */
    public Builder toBuilder() {
        return new Builder(path, new LinkedHashMap<>(values));
    }

    /** The keys in the file's order. */
    public Set<String> keys() {
        return values.keySet();
    }

    /** All pairs in the file's order. */
    public Map<String, Value> values() {
        return values;
    }

    /** Whether there is such a key. */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** The value, or null. */
    public Value get(String key) {
        return values.get(key);
    }

    /** Text under a key that must exist. */
    public String string(String key) {
        return (String) required(key, "a string", String.class);
    }

    /** Text under a key, or the fallback when there is no such key. */
    public String string(String key, String fallback) {
        return has(key) ? string(key) : fallback;
    }

    /** Whole number under a key that must exist. */
    public long integer(String key) {
        Value value = values.get(key);
        if (value != null && value.type == GgufType.UINT64 && (Long) value.value < 0) {
            throw wrong(key, "a number below 2^63", Long.toUnsignedString((Long) value.value));
        }
        return (Long) required(key, "a whole number", Long.class);
    }

    /** Whole number under a key, or the fallback when there is no such key. */
    public long integer(String key, long fallback) {
        return has(key) ? integer(key) : fallback;
    }

    /** Number under a key that must exist, of an integer or floating-point type. */
    public double number(String key) {
        Value value = values.get(key);
        return value != null && value.value instanceof Long ? integer(key) : (Double) required(key, "a number", Double.class);
    }

    /** Number under a key, or the fallback when there is no such key. */
    public double number(String key, double fallback) {
        return has(key) ? number(key) : fallback;
    }

    /** Boolean under a key that must exist. */
    public boolean bool(String key) {
        return (Boolean) required(key, "a boolean", Boolean.class);
    }

    /** Boolean under a key, or the fallback when there is no such key. */
    public boolean bool(String key, boolean fallback) {
        return has(key) ? bool(key) : fallback;
    }

    /** Array under a key that must exist. */
    public GgufArray array(String key) {
        return (GgufArray) required(key, "an array", GgufArray.class);
    }

    /** Array of strings under a key that must exist. */
    public GgufArray strings(String key) {
        GgufArray array = array(key);
        if (array.type() != GgufType.STRING) {
            throw wrong(key, "an array of strings", array.toString());
        }
        return array;
    }

    private Object required(String key, String expected, Class<?> kind) {
        Value value = values.get(key);
        if (value == null) {
            throw wrong(key, expected, "no such key");
        }
        if (!kind.isInstance(value.value)) {
            throw wrong(key, expected, text(value));
        }
        return value.value;
    }

    /** What the message about a bad value of a key says; for checks outside this class. */
    public InvalidFileException wrong(String key, String expected, String got) {
        return new InvalidFileException(path, "metadata key '" + key + "'", expected, got);
    }

    private static String text(Value value) {
        String type = value.type.label();
        if (value.value instanceof GgufArray array) {
            return "array " + array;
        }
        String text = String.valueOf(value.value);
        return type + " " + (text.length() > 40 ? text.substring(0, 40) + "…" : text);
    }

    /** Equal pairs in equal order, wherever they came from. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Metadata that
                && values.equals(that.values)
                && java.util.List.copyOf(values.keySet()).equals(java.util.List.copyOf(that.values.keySet()));
    }

    @Override
    public int hashCode() {
        return values.keySet().hashCode();
    }

    @Override
    public String toString() {
        return values.toString();
    }

    /**
     * Collects pairs in the order in which keys are first put; putting a key again replaces its value in place.
     * <i>Threads</i>: one.
     */
    public static final class Builder {

        private final Path path;
        private final LinkedHashMap<String, Value> values;

        private Builder(Path path, LinkedHashMap<String, Value> values) {
            this.path = path;
            this.values = values;
        }

        /** A text. */
        public Builder string(String key, String value) {
            return put(key, GgufType.STRING, value);
        }

        /** An unsigned 32-bit number, the usual type of sizes and ids. */
        public Builder uint32(String key, long value) {
            return integer(key, GgufType.UINT32, value);
        }

        /** A whole number of the type that the key wants. */
        public Builder integer(String key, GgufType type, long value) {
            if (!type.isInteger()) {
                throw new IllegalArgumentException(type + " is not an integer type");
            }
            GgufWriter.requireFits(type, value);
            return put(key, type, value);
        }

        /** A 32-bit float. */
        public Builder float32(String key, float value) {
            return put(key, GgufType.FLOAT32, (double) value);
        }

        /** A 64-bit float. */
        public Builder float64(String key, double value) {
            return put(key, GgufType.FLOAT64, value);
        }

        /** A boolean. */
        public Builder bool(String key, boolean value) {
            return put(key, GgufType.BOOL, value);
        }

        /** An array. */
        public Builder array(String key, GgufArray value) {
            return put(key, GgufType.ARRAY, value);
        }

        /** A value taken from other metadata. */
        public Builder value(String key, Value value) {
            return put(key, value.type, value.value);
        }

        /** Takes a pair out, if it is there. */
        public Builder remove(String key) {
            values.remove(key);
            return this;
        }

        private Builder put(String key, GgufType type, Object value) {
            if (key.isEmpty() || key.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("a key is a text of at least one character without NUL");
            }
            values.put(key, new Value(type, java.util.Objects.requireNonNull(value, key)));
            return this;
        }

        /** The pairs. The builder may be used further. */
        public Metadata build() {
            return new Metadata(path, new LinkedHashMap<>(values));
        }
    }
}
