package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.JsonFault;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A JSON object in file order, with readers that name file and key when a value has the wrong kind.
 *
 * <p>Values are {@code Map}, {@code List}, {@code String}, {@code Long}, {@code BigInteger}, {@code Double}, {@code Boolean} or null. As in
 * Python, {@code NaN} and {@code Infinity} are numbers, and of two equal keys the later value stands at the earlier place;
 * only a vocabulary has none with two ids.
 */
public final class JsonObject {

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES) // a vocabulary has a quarter of a million names, each once
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(200).build())
            .build();

    /** Values of one file: four times those of the largest vocabulary with its merges. */
    private static final int MOST_VALUES = 6_000_000;
    private static final long MOST_BYTES = 256L << 20;
    /** Files whose keys are tokens. */
    private static final List<String> VOCABULARIES = List.of("vocab.json", "added_tokens.json");

    private final Path file;
    private final Map<String, Object> values;

    /**
     * @param file   where the values come from, for messages
     * @param values kept, not copied: changes are seen
     */
    public JsonObject(Path file, Map<String, Object> values) {
        this.file = file;
        this.values = values;
    }

    /**
     * Reads a file that holds one object.
     *
     * @throws InvalidFileException when it is missing, no JSON, or no object
     */
    public static JsonObject read(Path file) throws IOException {
        return new JsonObject(file, asMap(file, "top level", readAny(file)));
    }

    /** {@link #read}, or an empty object when there is no such file. */
    public static JsonObject readIfPresent(Path file) throws IOException {
        return Files.isRegularFile(file) ? read(file) : new JsonObject(file, new LinkedHashMap<>());
    }

    /** Any JSON value. */
    public static Object readAny(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InvalidFileException(file, "file", "a JSON file", Files.exists(file) ? "something else" : "nothing at this path");
        }
        SmallFile.requireAtMost(file, MOST_BYTES);
        try (var in = Files.newInputStream(file)) {
            return parse(file, in);
        }
    }

    /** A table that ships with this library. */
    public static JsonObject resource(Class<?> beside, String name) {
        Path label = Path.of(name);
        try (var in = beside.getResourceAsStream(name)) {
            return new JsonObject(label, asMap(label, "top level", parse(label, in)));
        } catch (IOException broken) {
            throw new IllegalStateException("resource " + name, broken);
        }
    }

    /** Parses one value and nothing behind it. */
    public static Object parse(Path file, InputStream in) throws IOException {
        try (JsonParser parser = FACTORY.createParser(in)) {
            parser.nextToken();
            Object value = new Values(file, parser).value();
            if (parser.nextToken() != null) {
                throw new InvalidFileException(file, "end", "nothing behind the first JSON value", "more text");
            }
            return value;
        } catch (JsonProcessingException fault) {
            throw new InvalidFileException(file, "JSON", "valid JSON", JsonFault.text(fault.getOriginalMessage())
                    + (fault.getLocation() == null ? "" : " in line " + fault.getLocation().getLineNr()));
        } catch (java.io.CharConversionException fault) {
            throw new InvalidFileException(file, "JSON", "UTF-8 text", fault.getMessage());
        }
    }

    /** Builds the values of one text, and counts them: two characters can be a list. */
    private static final class Values {

        private final Path file;
        private final JsonParser parser;
        private int count;

        Values(Path file, JsonParser parser) {
            this.file = file;
            this.parser = parser;
        }

        Object value() throws IOException {
            JsonToken token = parser.currentToken();
            if (token == null) {
                throw new com.fasterxml.jackson.core.io.JsonEOFException(parser, null, "no JSON value");
            }
            if (++count > MOST_VALUES) {
                throw new InvalidFileException(file, "size", "at most " + MOST_VALUES + " JSON values", "more");
            }
            return switch (token) {
                case START_OBJECT -> object();
                case START_ARRAY -> array();
                case VALUE_STRING -> parser.getText();
                case VALUE_NUMBER_INT -> whole();
                case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
                case VALUE_TRUE -> Boolean.TRUE;
                case VALUE_FALSE -> Boolean.FALSE;
                case VALUE_NULL -> null;
                default -> throw new IllegalStateException("token " + token);
            };
        }

        private Object whole() throws IOException {
            if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
                BigInteger big = parser.getBigIntegerValue();
                return big;
            }
            return parser.getLongValue();
        }

        private Map<String, Object> object() throws IOException {
            boolean vocabulary = parser.currentName() == null ? VOCABULARIES.contains(String.valueOf(file.getFileName()))
                    : parser.currentName().equals("vocab");
            var map = new LinkedHashMap<String, Object>();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                Object value = value();
                Object earlier = map.put(name, value);
                if (vocabulary && earlier != null && !earlier.equals(value)) {
                    throw new InvalidFileException(file, "token '" + name + "'", "one id", kind(earlier) + " and " + kind(value),
                            "rename one of them; llama.cpp loads no vocabulary with a token twice");
                }
            }
            return map;
        }

        private List<Object> array() throws IOException {
            var list = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                list.add(value());
            }
            return list;
        }
    }

    @SuppressWarnings("unchecked") // JSON keys are strings
    private static Map<String, Object> asMap(Path file, String where, Object value) {
        if (value instanceof Map<?, ?> map) {
            return (Map<String, Object>) map;
        }
        throw new InvalidFileException(file, where, "an object", kind(value));
    }

    /** Where the values come from. */
    public Path file() {
        return file;
    }

    /** The values themselves. */
    public Map<String, Object> values() {
        return values;
    }

    /** Whether nothing is in it. */
    public boolean isEmpty() {
        return values.isEmpty();
    }

    /** Whether the key is there with a value other than null. */
    public boolean has(String key) {
        return values.get(key) != null;
    }

    /** The value as it is, or null. */
    public Object get(String key) {
        return values.get(key);
    }

    /** A string, or null when the key is absent or null. */
    public String text(String key) {
        return typed(key, String.class, "a string");
    }

    /** A truth value, or null. */
    public Boolean flag(String key) {
        return typed(key, Boolean.class, "true or false");
    }

    /** A whole number, or null. */
    public Long whole(String key) {
        return typed(key, Long.class, "a whole number");
    }

    /** A whole number. */
    public long requireWhole(String key) {
        return required(key, whole(key), "a whole number");
    }

    /** Any number, or null. */
    public Double number(String key) {
        Number number = typed(key, Number.class, "a number");
        return number == null ? null : number.doubleValue();
    }

    /** Any number. */
    public double requireNumber(String key) {
        return required(key, number(key), "a number");
    }

    /** A string. */
    public String requireText(String key) {
        return required(key, text(key), "a string");
    }

    /** A list, or null. */
    @SuppressWarnings("unchecked") // lists of this reader hold objects
    public List<Object> list(String key) {
        return (List<Object>) typed(key, List.class, "a list");
    }

    /** A list of strings, or null. */
    public List<String> texts(String key) {
        List<Object> list = list(key);
        if (list == null) {
            return null;
        }
        var texts = new ArrayList<String>(list.size());
        for (Object item : list) {
            texts.add(item instanceof String text ? text : fail(key, "a list of strings", item));
        }
        return texts;
    }

    /** An object, or null. */
    public JsonObject object(String key) {
        Object value = values.get(key);
        return value == null ? null : new JsonObject(file, asMap(file, "key '" + key + "'", value));
    }

    /** An object. */
    public JsonObject requireObject(String key) {
        return required(key, object(key), "an object");
    }

    /** An object, or an empty one when the key is absent or has another kind. */
    public JsonObject objectOrEmpty(String key) {
        return values.get(key) instanceof Map ? object(key) : new JsonObject(file, new LinkedHashMap<>());
    }

    private <T> T required(String key, T value, String expected) {
        if (value == null) {
            throw new InvalidFileException(file, "key '" + key + "'", expected, values.containsKey(key) ? "null" : "no such key");
        }
        return value;
    }

    private <T> T typed(String key, Class<T> type, String expected) {
        Object value = values.get(key);
        return value == null || type.isInstance(value) ? type.cast(value) : fail(key, expected, value);
    }

    private <T> T fail(String key, String expected, Object got) {
        throw new InvalidFileException(file, "key '" + key + "'", expected, kind(got));
    }

    /** What a value is, in few words. */
    public static String kind(Object value) {
        return switch (value) {
            case null -> "null";
            case Map<?, ?> map -> "an object";
            case List<?> list -> "a list";
            case String text -> "the string '" + (text.length() > 60 ? text.substring(0, 60) + "…" : text) + "'";
            default -> String.valueOf(value);
        };
    }
}
