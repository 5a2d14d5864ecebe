package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class OptionsTest {

    @Test
    void gpuLayersReadsItsThreeForms() {
        assertEquals(GpuLayers.AUTO, GpuLayers.parse("auto"));
        assertEquals(GpuLayers.ALL, GpuLayers.parse("ALL"));
        assertEquals(GpuLayers.of(7), GpuLayers.parse(" 7 "));
        refuses("gpu-layers", () -> GpuLayers.parse("many"));
        refuses("gpu-layers", () -> GpuLayers.parse("-3"));
        assertEquals("auto all 3", GpuLayers.AUTO + " " + GpuLayers.ALL + " " + GpuLayers.of(3));
    }

    @Test
    void kvOverrideReadsItsFourForms() {
        assertEquals(KvOverride.of("a", 3L), KvOverride.parse("a=int:3"));
        assertEquals(KvOverride.of("a", 0.5), KvOverride.parse("a=float:0.5"));
        assertEquals(KvOverride.of("a", true), KvOverride.parse("a=bool:true"));
        assertEquals(KvOverride.of("a", "x:y=z"), KvOverride.parse("a=str:x:y=z"));
        for (String bad : List.of("a", "a=3", "=int:3", "a=int:x", "a=bool:yes", "a=blob:1", "x".repeat(200) + "=int:1")) {
            refuses("override-kv", () -> KvOverride.parse(bad));
        }
    }

    @Test
    void adapterSourceReadsAnOptionalScale() {
        assertEquals(new AdapterSource(Path.of("a.gguf"), 0.5f), AdapterSource.parse("a.gguf:0.5"));
        assertEquals(AdapterSource.of(Path.of("a.gguf")), AdapterSource.parse("a.gguf"));
        assertEquals(AdapterSource.of(Path.of("a:b.gguf")), AdapterSource.parse("a:b.gguf"));
        for (String scale : List.of("nan", "NaN", "inf", "1x", "", "strong")) {
            refuses(scale.equals("NaN") ? "lora scale" : "lora", () -> AdapterSource.parse("pom.xml:" + scale));
        }
        refuses("lora", () -> AdapterSource.parse(""));
        refuses("lora scale", () -> new AdapterSource(Path.of("a"), Float.NaN));
    }

    @Test
    void samplingRefusesWhatIsOutOfRange() {
        Sampling s = Sampling.defaults();
        refuses("top-k", () -> s.withTopK(-1));
        refuses("top-p", () -> s.withTopP(1.5f));
        refuses("min-p", () -> s.withMinP(Float.NaN));
        refuses("typical-p", () -> s.withTypicalP(-0.1f));
        refuses("temperature", () -> s.withTemperature(Float.POSITIVE_INFINITY));
        refuses("repeat-penalty", () -> s.withRepeatPenalty(0f));
        refuses("repeat-last-n", () -> s.withRepeatLastN(-2));
        refuses("mirostat", () -> new Sampling.Mirostat(3, 5f, 0.1f));
        refuses("seed", () -> s.withSeed(1L << 32));
        refuses("logit-bias", () -> s.withLogitBias(Map.of(1, Float.NaN)));
    }

    @Test
    void copiesChangeOneThing() {
        Sampling s = Sampling.greedy().withSeed(7).withTopK(3).withRepeatPenalty(1.1f).withOrder(List.of("top_k"));
        assertEquals(7, s.seed());
        assertEquals(3, s.truncation().topK());
        assertEquals(0.95f, s.truncation().topP());
        assertEquals(1.1f, s.penalties().repeat());
        assertTrue(s.isGreedy());
        ModelOptions m = ModelOptions.defaults().withGpuLayers(GpuLayers.NONE).withLoadMode(LoadMode.READ).withVocabOnly(true);
        assertEquals(GpuLayers.NONE, m.placement().gpuLayers());
        assertEquals(LoadMode.READ, m.loadMode());
        assertTrue(m.vocabOnly());
    }

    @Test
    void contextOptionsRefuseWhatCannotWork() {
        ContextOptions c = ContextOptions.defaults();
        refuses("context-size", () -> c.withContextSize(-2));
        refuses("batch-size", () -> c.withBatchSize(0));
        refuses("threads", () -> c.withThreads(-1));
        refuses("cache-type-v", () -> c.withFlashAttention(FlashAttention.OFF)
                .withCache(KvCache.defaults().withTypes(CacheType.F16, CacheType.Q8_0)));
    }

    @Test
    void generateOptionsRefuseEmptyStopsAndBlankGrammars() {
        GenerateOptions g = GenerateOptions.defaults();
        refuses("stop", () -> g.withStops(List.of("")));
        refuses("max-tokens", () -> g.withMaxTokens(-2));
        refuses("logprobs", () -> g.withLogprobs(-2));
        refuses("grammar", () -> Grammar.gbnf(" "));
        refuses("json-schema", () -> Grammar.jsonSchema(""));
    }

    @Test
    void chatTemplateReadsNameOrFile(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("t.jinja"), "{{ messages }}", StandardCharsets.UTF_8);
        assertEquals("{{ messages }}", ChatTemplate.parse(file.toString()).source());
        assertEquals("chatml", ChatTemplate.parse("chatml").source());
        assertThrows(InvalidFileException.class, () -> ChatTemplate.file(folder.resolve("none")));
    }

    @Test
    void benchTestsAreNamedAsLlamaBenchNamesThem() {
        assertEquals("pp512", new Bench.Test(512, 0).name());
        assertEquals("tg128", new Bench.Test(0, 128).name());
        assertEquals("pp512+tg128", new Bench.Test(512, 128).name());
        refuses("bench test", () -> new Bench.Test(0, 0));
    }

    private static void refuses(String option, Executable code) {
        InvalidOptionException e = assertThrows(InvalidOptionException.class, code);
        assertTrue(e.getMessage().contains(option), e.getMessage());
    }
}
