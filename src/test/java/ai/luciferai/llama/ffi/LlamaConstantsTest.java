package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.bindings.llama_h;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Compares the constants that Java code uses with those that jextract read from llama.h. */
class LlamaConstantsTest {

    @Test
    void constantsAreThoseOfTheHeader() throws ReflectiveOperationException {
        var header = new TreeMap<String, Integer>();
        for (Method method : llama_h.class.getDeclaredMethods()) {
            if (method.getName().startsWith("LLAMA_")) {
                header.put(method.getName(), (Integer) method.invoke(null));
            }
        }
        var written = new TreeMap<String, Integer>();
        for (Field field : Arrays.asList(LlamaConstants.class.getFields())) {
            written.put(field.getName(), field.getInt(null));
        }
        assertEquals(header, written);
    }
}
