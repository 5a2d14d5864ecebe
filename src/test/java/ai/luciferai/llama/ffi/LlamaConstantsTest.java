package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Compares the constants that Java code uses with those that jextract read from llama.h. Reads the generated source, because the
 * generated class cannot be initialised where native access is forbidden.
 */
class LlamaConstantsTest {

    private static final Path GENERATED = Path.of(System.getProperty("basedir", ""))
            .resolve("bindings/java/ai/luciferai/llama/bindings/llama_h.java");
    private static final Pattern CONSTANT = Pattern.compile("private static final int (LLAMA_\\w+) = \\(int\\)(-?\\d+)L;");

    @Test
    void constantsAreThoseOfTheHeader() throws IOException, ReflectiveOperationException {
        var header = new TreeMap<String, Integer>();
        CONSTANT.matcher(Files.readString(GENERATED)).results()
                .forEach(match -> header.put(match.group(1), (int) Long.parseLong(match.group(2))));
        var written = new TreeMap<String, Integer>();
        for (Field field : LlamaConstants.class.getFields()) {
            written.put(field.getName(), field.getInt(null));
        }
        assertEquals(header, written);
    }
}
