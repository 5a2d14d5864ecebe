package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
        assertTrue(refusal.getMessage().contains("use_dora") && refusal.hint().contains("merge"), refusal::getMessage);
        assertFalse(Files.exists(folder.resolve("dora-F32.gguf")));
    }

    /** Each key changes what the factors mean; as plain LoRA the adapter would act otherwise than it was trained to. */
    @ParameterizedTest
    @ValueSource(strings = {"\"lora_bias\": true", "\"use_qalora\": true", "\"use_bdlora\": {\"nblocks\": 2}", "\"init_lora_weights\": \"pissa_niter_4\"",
            "\"init_lora_weights\": \"olora\"", "\"layer_replication\": [[0, 2], [1, 2]]", "\"alora_invocation_tokens\": [1, 2]",
            "\"target_parameters\": [\"mlp.experts.gate_up_bias\"]", "\"trainable_token_indices\": [5]", "\"lora_alpha\": 0",
            "\"peft_type\": \"LOHA\"", "\"r\": 5", "\"rank_pattern\": {\"q_proj\": 2}", "\"alpha_pattern\": {\"q_proj[\": 2}"})
    void refusesByNameWhatIsNoPlainLora(String setting) throws IOException {
        Path changed = copy(json -> json.replaceFirst("\\{", Matcher.quoteReplacement("{" + setting + ","))
                .replaceFirst(",\\s*" + Pattern.quote(setting.substring(0, setting.indexOf(':'))) + ":\\s*(\\{\\}|[^,{}\\[\\]]+)", ""), names -> names);
        var refused = assertThrows(BridgeException.class, () -> convertFolder(changed));
        String key = setting.substring(1, setting.indexOf('"', 1));
        assertTrue(refused.getMessage().contains("adapter_config.json") && refused.getMessage().contains(key.equals("r") ? "rank"
                : key.replace("rank_pattern", "rank").replace("peft_type", "LOHA")), refused::getMessage);
    }

    /** What PEFT 0.21's get_pattern_key answers: keys are regular expressions at the end of the name, and the first that matches wins. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"'{\"q_proj\": 16, \"model.layers.0.self_attn.q_proj\": 32}'; 2", "'{\"model.layers.[0-9].*q_proj\": 32, \"q_proj\": 16}'; 4",
            "'{\"^model.layers.[0-9]+.self_attn.q_proj\": 16}'; 2", "'{\"proj\": 32}'; 1", "'{\"^layers.0.self_attn.q_proj\": 32}'; 1",
            "'{\"[qz]_proj|x_proj\": 16}'; 2"})
    void patternsAreReadAsPeftReadsThem(String patterns, float times) throws IOException {
        Map<String, float[]> plain = tensors(convert("llama", "llama-shards", OutputType.F32));
        Path changed = copy(json -> json.replaceFirst("\"alpha_pattern\":\\s*\\{[^}]*\\}",
                Matcher.quoteReplacement("\"alpha_pattern\": " + patterns)), names -> names);
        Map<String, float[]> scaled = tensors(convertFolder(changed));
        plain.forEach((name, values) -> assertTimes(name.endsWith("attn_q.weight.lora_b") ? times : 1, name, values, scaled.get(name)));
    }

    /** Of a name of 31 characters: more ways to split it into 14 parts than could ever be tried. */
    @ParameterizedTest
    @ValueSource(strings = {"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)!", "(((((a?){999}){999}){999}){999})"})
    @Timeout(120)
    void patternsThatBacktrackForEverAreRefused(String pattern) throws IOException {
        for (String key : List.of("alpha_pattern", "rank_pattern")) {
            Path changed = copy(json -> json.replaceFirst("\"" + key + "\":\\s*\\{[^}]*\\}",
                    Matcher.quoteReplacement("\"" + key + "\": {\"" + pattern + "\": 2}")), names -> names);
            var refused = assertThrows(InvalidFileException.class, () -> convertFolder(changed));
            assertTrue(refused.getMessage().contains(key + ": expected regular expressions"), refused::getMessage);
        }
    }

    @Test
    void refusesTensorsThatWouldBeLost() throws IOException {
        Map<String, String> faults = Map.of("two adapters", ".0.self_attn.q_proj.lora_A.other.weight", "bias", ".0.self_attn.q_proj.lora_B.bias",
                "norm", ".0.input_layernorm.weight", "left out", ".0.self_attn.rotary_emb.inv_freq.lora_A.weight");
        for (var fault : faults.entrySet()) {
            Path changed = copy(json -> json, header -> header.replaceFirst("\\.0\\.self_attn\\.q_proj\\.lora_A\\.weight", fault.getValue()));
            assertThrows(BridgeException.class, () -> convertFolder(changed), fault.getKey());
        }
    }

    /** The base is not even opened but for its configuration: what is wrong is the adapter. */
    @Test
    void blamesTheAdapterForANameThatTheBaseLacks() throws IOException {
        Path changed = copy(json -> json, header -> header.replace(".0.self_attn.q_proj.lora_", ".0.self_attn.z_proj.lora_"));
        var refused = assertThrows(UnsupportedModelException.class, () -> convertFolder(changed));
        assertEquals(changed.toString(), refused.model());
        assertTrue(refused.getMessage().contains("z_proj") && refused.hint().contains("llama-shards"), refused::getMessage);
    }

    /** The plain adapter with another configuration and other names of tensors. */
    private Path copy(UnaryOperator<String> config, UnaryOperator<String> header) throws IOException {
        Path from = Fixtures.FOLDER.resolve("adapters/llama");
        Path to = Files.createTempDirectory(folder, "adapter");
        Files.writeString(to.resolve("adapter_config.json"), config.apply(Files.readString(from.resolve("adapter_config.json"))));
        ByteBuffer weights = ByteBuffer.wrap(Files.readAllBytes(from.resolve("adapter_model.safetensors"))).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) weights.getLong(0);
        byte[] names = header.apply(new String(weights.array(), 8, length, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(weights.capacity() - length + names.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(names.length).put(names).put(weights.array(), 8 + length, weights.capacity() - 8 - length);
        Files.write(to.resolve("adapter_model.safetensors"), out.array());
        return to;
    }

    private Path convertFolder(Path adapter) throws IOException {
        Path out = adapter.resolve("out.gguf");
        Conversion.run(new Converter.Request(adapter, out, OutputType.F32, null, null, null, null, Fixtures.FOLDER.resolve("llama-shards"), false, 0,
                false, true), Progress.NONE, Cancel.NONE);
        return out;
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
