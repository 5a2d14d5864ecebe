package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** A tiny checkpoint of each architecture, in each type: the bytes of llama.cpp's own converter, whose digests are in generated.json. */
class EveryArchitectureTest {

    @TempDir
    Path folder;

    @TestFactory
    Stream<DynamicTest> equalsTheReference() throws IOException {
        Path table = Fixtures.FOLDER.resolve("generated.json");
        JsonObject entries = JsonObject.read(table);
        return entries.values().keySet().stream().map(name -> DynamicTest.dynamicTest(name,
                () -> check(name, entries.requireObject(name))));
    }

    private void check(String name, JsonObject entry) throws IOException {
        Path checkpoint = folder.resolve(name);
        GeneratedCheckpoint.write(entry, checkpoint);
        for (OutputType type : OutputType.values()) {
            Path out = folder.resolve("out.gguf");
            Conversion.run(new Converter.Request(checkpoint, out, type, null, null, null, entry.text("pre"), null, false, 0, false, true),
                    Progress.NONE, Cancel.NONE);
            String kind = type.name().toLowerCase(Locale.ROOT);
            assertEquals(entry.requireObject("digests").requireText(kind), Fixtures.sha256(out), kind);
            Files.delete(out);
        }
    }
}
