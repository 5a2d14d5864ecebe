package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonTest {

    @Test
    void valuesAreWrittenAsJsonHasThem() {
        assertEquals("{\"a\":\"x\\\"\\n\",\"b\":[1,2],\"c\":[0.5,null],\"d\":true,\"e\":[null,{\"f\":1.5}],\"g\":7}\n",
                Json.line(Json.object("a", "x\"\n", "b", new int[] {1, 2}, "c", new float[] {0.5f, Float.NaN}, "d", true,
                        "e", Arrays.asList(null, Json.object("f", 1.5)), "g", 7L)));
    }

    @Test
    void pathsAreStrings() {
        assertEquals("[\"a/b\"]\n", Json.line(List.of(Path.of("a/b"))));
    }

    @Test
    void nullsAreLeftOutOfObjects() {
        assertEquals("{\"b\":1}\n", Json.line(Json.object("a", null, "b", 1)));
    }

    @Test
    void floatsKeepTheirShortestForm() {
        assertEquals("[0.1,1.0E10,0.8]\n", Json.line(List.of(0.1f, 1e10f, 0.8)));
    }

    @Test
    void prettyIsIndentedByTwo() {
        assertEquals("{\n  \"a\" : 1\n}\n", Json.pretty(Json.object("a", 1)));
    }
}
