package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters on experts, one pair of factors for each: stacked as llama.cpp's own script stacks them, whose digests are in expert-adapters.json. */
class ExpertAdapterTest {

    @TempDir
    Path folder;

    private static JsonObject entry(String name) throws IOException {
        return JsonObject.read(Fixtures.FOLDER.resolve("expert-adapters.json")).requireObject(name);
    }

    private Path convert(JsonObject entry, OutputType type) throws IOException {
        String name = entry.requireText("base");
        Path base = folder.resolve("base");
        if (!Files.exists(base)) {
            GeneratedCheckpoint.write(name, base);
        }
        Path adapter = folder.resolve(name);
        GeneratedCheckpoint.writeAdapter(entry, adapter);
        Path out = folder.resolve("out.gguf");
        Conversion.run(new Converter.Request(adapter, out, type, null, null, null, null, base, false, 0, false, true), Progress.NONE, Cancel.NONE);
        return out;
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "qwen3moe", "qwen2moe"})
    void equalsTheReference(String name) throws IOException {
        JsonObject entry = entry(name);
        for (String kind : entry.requireObject("digests").values().keySet()) {
            assertEquals(entry.requireObject("digests").requireText(kind),
                    Fixtures.sha256(convert(entry, OutputType.valueOf(kind.toUpperCase(Locale.ROOT)))), kind);
        }
    }

    /** The reference refuses an adapter that does not change all matrices of the experts. */
    @Test
    void partsOfTheExpertsAreStackedByThemselves() throws IOException {
        Map<String, float[]> all = tensors(convert(entry("mixtral"), OutputType.F32));
        JsonObject some = entry("mixtral");
        some.requireObject("tensors").values().keySet().removeIf(name -> name.contains(".w2."));
        Map<String, float[]> found = tensors(convert(some, OutputType.F32));
        all.keySet().removeIf(name -> name.contains("ffn_down_exps"));
        assertEquals(all.keySet(), found.keySet());
        all.forEach((name, values) -> assertArrayEquals(values, found.get(name), name));
    }

    @Test
    void alphaOfAPartCountsForItAlone() throws IOException {
        Map<String, float[]> plain = tensors(convert(entry("mixtral"), OutputType.F32));
        JsonObject other = entry("mixtral");
        other.requireObject("config").values().put("alpha_pattern", Map.of("w2", 32L));
        tensors(convert(other, OutputType.F32)).forEach((name, values) -> {
            float[] expected = plain.get(name).clone();
            for (int i = 0; i < expected.length; i++) {
                expected[i] *= name.endsWith("ffn_down_exps.weight.lora_b") ? 4 : 1;
            }
            assertArrayEquals(expected, values, name);
        });
    }

    @Test
    void refusesAPartOfTheExperts() throws IOException {
        JsonObject some = entry("mixtral");
        some.requireObject("tensors").values().keySet().removeIf(name -> name.contains("layers.1.") && name.contains("experts.2.w3"));
        var refused = assertThrows(BridgeException.class, () -> convert(some, OutputType.F32));
        assertTrue(refused.getMessage().contains("experts of layer 1") && refused.getMessage().contains("w3"), refused::getMessage);
        JsonObject scales = entry("mixtral");
        scales.requireObject("config").values().put("alpha_pattern", Map.of("experts.1.w2", 32L));
        assertTrue(assertThrows(BridgeException.class, () -> convert(scales, OutputType.F32)).getMessage().contains("one scale"));
        assertFalse(Files.exists(folder.resolve("out.gguf")));
    }

    /**
     * PEFT with transformers 5: what alpha / rank · B · A of each expert adds, at the places that make_fused_adapters.py took from PEFT's own
     * sums. The gates' and the other rows of gate_up_proj are two tensors in the GGUF.
     */
    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "qwen3moe", "qwen3moe-down"})
    void fusedExpertsActAsInPeft(String name) throws IOException {
        Path adapter = Fixtures.FOLDER.resolve("fused-adapters").resolve(name);
        Path out = folder.resolve("fused.gguf");
        Conversion.run(new Converter.Request(adapter, out, OutputType.F32, null, null, null, null, adapter, false, 0, false, true), Progress.NONE, Cancel.NONE);
        JsonObject deltas = JsonObject.read(adapter.resolve("deltas.json"));
        double alpha;
        try (var gguf = GgufReader.read(out)) {
            alpha = gguf.metadata().number("adapter.lora.alpha");
            assertEquals(deltas.values().keySet().stream().mapToInt(key -> key.endsWith("gate_up_proj") ? 2 : 1).sum(),
                    gguf.tensors().stream().filter(tensor -> tensor.name().contains("_exps") && tensor.name().endsWith(".lora_a")).count());
        }
        Map<String, float[]> tensors = tensors(out);
        for (String key : deltas.values().keySet()) {
            JsonObject delta = deltas.requireObject(key);
            int[] shape = delta.list("shape").stream().mapToInt(n -> ((Long) n).intValue()).toArray();
            String block = "blk." + key.substring(0, key.indexOf('.')) + ".ffn_";
            boolean down = key.endsWith("down_proj");
            int rows = down ? shape[1] : shape[1] / 2;
            long every = delta.requireWhole("every");
            List<Object> values = delta.list("values");
            for (int i = 0; i < values.size(); i++) {
                int at = (int) (i * every);
                int expert = at / (shape[1] * shape[2]);
                int row = at / shape[2] % shape[1];
                String tensor = block + (down ? "down" : row < rows ? "gate" : "up") + "_exps.weight";
                float[] a = tensors.get(tensor + ".lora_a");
                float[] b = tensors.get(tensor + ".lora_b");
                int rank = a.length / shape[0] / shape[2];
                double sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum += (double) b[(expert * rows + row % rows) * rank + r] * a[(expert * rank + r) * shape[2] + at % shape[2]];
                }
                assertEquals(((Number) values.get(i)).doubleValue(), alpha / rank * sum, 2e-5, tensor + " " + at); // floats of PEFT, six digits
            }
        }
    }

    private static Map<String, float[]> tensors(Path file) throws IOException {
        var tensors = new LinkedHashMap<String, float[]>();
        try (var gguf = GgufReader.read(file)) {
            for (var info : List.copyOf(gguf.tensors())) {
                tensors.put(info.name(), gguf.data(info).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
            }
        }
        Files.delete(file);
        return tensors;
    }
}
