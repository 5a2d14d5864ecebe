package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** PEFT's own adapters: byte for byte what convert_lora_to_gguf.py makes of them, and scaled as PEFT scales them where that script does not. */
class AdapterConverterTest {

    private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    Path folder;

    private Path convert(String adapter, String base, OutputType type) throws IOException {
        Path out = folder.resolve(adapter + "-" + type + ".gguf");
        Conversion.run(new Converter.Request(Fixtures.FOLDER.resolve("adapters").resolve(adapter), out, type, null, null, null, null,
                Fixtures.FOLDER.resolve(base), false, 0, false, true), Progress.NONE, Cancel.NONE);
        return out;
    }

    @TestFactory
    List<DynamicTest> equalsTheReference() throws IOException {
        JsonObject table = JsonObject.read(Fixtures.FOLDER.resolve("adapter-digests.json"));
        var tests = new ArrayList<DynamicTest>();
        for (String name : table.values().keySet()) {
            JsonObject entry = table.requireObject(name);
            for (String kind : entry.requireObject("digests").values().keySet()) {
                tests.add(DynamicTest.dynamicTest(name + " " + kind, () -> assertEquals(entry.requireObject("digests").requireText(kind),
                        Fixtures.sha256(convert(name, entry.requireText("base"), OutputType.valueOf(kind.toUpperCase(Locale.ROOT)))))));
            }
        }
        return tests;
    }

    /** The reference fails on its own {@code auto} here; what it should be is the adapter's own type, or F16. */
    @Test
    void autoIsTheTypeOfTheFactors() throws IOException {
        assertEquals(Fixtures.sha256(convert("llama", "llama-shards", OutputType.F16)), Fixtures.sha256(convert("llama", "llama-shards", OutputType.AUTO)));
        assertEquals(Fixtures.sha256(convert("qwen2", "qwen2-bpe", OutputType.BF16)), Fixtures.sha256(convert("qwen2", "qwen2-bpe", OutputType.AUTO)));
    }

    @Test
    void rsLoraIsScaledByTheRootOfItsRank() throws IOException {
        Map<String, float[]> plain = tensors(convert("llama", "llama-shards", OutputType.F32));
        Map<String, float[]> scaled = tensors(convert("rslora", "llama-shards", OutputType.F32));
        assertEquals(plain.keySet(), scaled.keySet());
        plain.forEach((name, values) -> assertTimes(name.endsWith(".lora_b") ? 2 : 1, name, values, scaled.get(name))); // (8 / √4) / (8 / 4)
    }

    @Test
    void alphaOfAModuleCountsForItAlone() throws IOException {
        Map<String, float[]> plain = tensors(convert("llama", "llama-shards", OutputType.F32));
        Map<String, float[]> scaled = tensors(convert("alpha-pattern", "llama-shards", OutputType.F32));
        plain.forEach((name, values) -> assertTimes(name.endsWith("attn_q.weight.lora_b") ? 4 : 1, name, values, scaled.get(name))); // 32 / 8
    }

    @Test
    void refusesDoraByName() {
        var refusal = assertThrows(UnsupportedModelException.class, () -> convert("dora", "llama-shards", OutputType.F32));
        assertTrue(refusal.getMessage().contains("DoRA") && refusal.hint().contains("merge"), refusal::getMessage);
        assertFalse(Files.exists(folder.resolve("dora-F32.gguf")));
    }

    private static void assertTimes(float scale, String name, float[] plain, float[] scaled) {
        float[] expected = plain.clone();
        for (int i = 0; i < expected.length; i++) {
            expected[i] *= scale; // a power of two: exact
        }
        assertArrayEquals(expected, scaled, name);
    }

    private static Map<String, float[]> tensors(Path file) throws IOException {
        var tensors = new LinkedHashMap<String, float[]>();
        try (var gguf = GgufReader.read(file)) {
            for (var info : gguf.tensors()) {
                tensors.put(info.name(), gguf.data(info).toArray(F32));
            }
        }
        return tensors;
    }
}
