package ai.luciferai.llama.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Results as JSON: objects are ordered maps, arrays iterables or arrays of numbers. NaN and infinities, which JSON lacks, become null.
 *
 * <p>Streamed by hand: jackson's data binding costs more at the start than all the rest of a short command.
 */
final class Json {

    private Json() {}

    /** An object from names and values by turns; a null value is left out. */
    static Map<String, Object> object(Object... namesAndValues) {
        var object = new LinkedHashMap<String, Object>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            if (namesAndValues[i + 1] != null) {
                object.put((String) namesAndValues[i], namesAndValues[i + 1]);
            }
        }
        return object;
    }

    /** Indented, with a line end. */
    static String pretty(Object value) {
        var indenter = new DefaultIndenter("  ", "\n");
        return write(value, new DefaultPrettyPrinter().withObjectIndenter(indenter)) + "\n";
    }

    /** On one line, with a line end. */
    static String line(Object value) {
        return write(value, null) + "\n";
    }

    private static String write(Object value, DefaultPrettyPrinter printer) {
        var text = new StringWriter();
        try (JsonGenerator out = new JsonFactory().createGenerator(text)) {
            out.setPrettyPrinter(printer);
            write(out, value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.toString();
    }

    private static void write(JsonGenerator out, Object value) throws IOException {
        switch (value) {
            case null -> out.writeNull();
            case Map<?, ?> map -> {
                out.writeStartObject();
                for (var entry : map.entrySet()) {
                    out.writeFieldName((String) entry.getKey());
                    write(out, entry.getValue());
                }
                out.writeEndObject();
            }
            // A path is an iterable of itself.
            case Path path -> out.writeString(path.toString());
            case Iterable<?> items -> {
                out.writeStartArray();
                for (Object item : items) {
                    write(out, item);
                }
                out.writeEndArray();
            }
            case float[] numbers -> {
                out.writeStartArray();
                for (float number : numbers) {
                    write(out, number);
                }
                out.writeEndArray();
            }
            case int[] numbers -> out.writeArray(numbers, 0, numbers.length);
            case Boolean truth -> out.writeBoolean(truth);
            case Integer number -> out.writeNumber(number);
            case Long number -> out.writeNumber(number);
            case BigInteger number -> out.writeNumber(number);
            case Float number -> out.writeRawValue(Float.isFinite(number) ? number.toString() : "null");
            case Double number -> out.writeRawValue(Double.isFinite(number) ? number.toString() : "null");
            default -> out.writeString(value.toString());
        }
    }
}
