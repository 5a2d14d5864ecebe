package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The output equals that of llama.cpp's own converter, byte for byte: its digests are in digests.json beside the checkpoints. */
class ConverterGoldenTest {

    @TempDir
    Path folder;

    private static JsonObject digests() throws IOException {
        return JsonObject.read(Fixtures.FOLDER.resolve("digests.json"));
    }

    @TestFactory
    List<DynamicTest> equalsTheReference() throws IOException {
        var tests = new ArrayList<DynamicTest>();
        for (String name : digests().values().keySet()) {
            for (OutputType type : OutputType.values()) {
                String kind = type.name().toLowerCase(Locale.ROOT);
                tests.add(DynamicTest.dynamicTest(name + " " + kind, () -> {
                    Path out = folder.resolve(name + "-" + kind + ".gguf");
                    Fixtures.convert(Fixtures.FOLDER.resolve(name), out, type);
                    assertEquals(digests().requireObject(name).requireText(kind), Fixtures.sha256(out));
                }));
            }
        }
        return tests;
    }

    @Test
    void readsTheFormatBeforeTorch16AsTheOneAfter() throws IOException {
        Path copy = Fixtures.copy("mixtral-bin", folder);
        Files.copy(Fixtures.FOLDER.resolve("mixtral-legacy/pytorch_model.bin"), copy.resolve("pytorch_model.bin"),
                StandardCopyOption.REPLACE_EXISTING);
        assertConvertsLikeMixtral(copy);
    }

    @Test
    void findsWeightsNamedPt() throws IOException {
        Path copy = Fixtures.copy("mixtral-bin", folder);
        Files.move(copy.resolve("pytorch_model.bin"), copy.resolve("model.pt"));
        assertConvertsLikeMixtral(copy);
    }

    @Test
    void takesOneWeightFileAsInput() throws IOException {
        assertConvertsLikeMixtral(Fixtures.copy("mixtral-bin", folder).resolve("pytorch_model.bin"));
    }

    private void assertConvertsLikeMixtral(Path input) throws IOException {
        Path out = folder.resolve("out.gguf");
        Fixtures.convert(input, out, OutputType.Q8_0);
        assertEquals(digests().requireObject("mixtral-bin").requireText("q8_0"), Fixtures.sha256(out));
    }
}
