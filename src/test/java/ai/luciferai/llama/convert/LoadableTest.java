package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A conversion that ends well gives a file that llama.cpp loads: what cannot be, is refused and nothing written, or is put right. */
class LoadableTest extends ChangedCheckpoint {

    @ParameterizedTest
    @CsvSource({"model.layers.1.self_attn.k_proj.weight, blk.1.attn_k.weight", "model.norm.weight, output_norm.weight",
            "model.embed_tokens.weight, token_embd.weight", "model.layers.0.input_layernorm.weight, blk.0.attn_norm.weight",
            "model.layers.1.self_attn.q_proj.bias, blk.1.attn_q.bias", "lm_head.weight, lm_head.weight"})
    void refusesAModelThatLacksATensor(String lost, String named) throws IOException {
        Path input = checkpoint("qwen2", put("tie_word_embeddings", false), tensors -> {
            boolean had = tensors.remove(lost) != null;
            assertTrue(had || lost.equals("lm_head.weight"), lost); // which a tied model has not
        });
        assertTrue(refused(input).contains(named), named);
    }

    @Test
    void refusesSizesThatAreNotThoseOfTheWeights() throws IOException {
        String message = refused(checkpoint("qwen2", put("intermediate_size", 999L), asItIs()));
        assertTrue(message.contains("ffn_") && message.contains("config.json") && message.contains("999"), message);
        message = refused(checkpoint("qwen2", put("num_hidden_layers", 3L), asItIs()));
        assertTrue(message.contains("no blk.2."), message);
    }

    @ParameterizedTest
    @CsvSource({"rms_norm_eps, 0", "rms_norm_eps, -1", "rms_norm_eps, NaN", "rope_theta, 0", "rope_theta, Infinity", "num_key_value_heads, 3"})
    void refusesNumbersThatMakeNoSense(String key, double value) throws IOException {
        Object number = key.startsWith("num") ? (Object) (long) value : (Object) value;
        String message = refused(checkpoint("qwen2", put(key, number), asItIs()));
        assertTrue(message.contains("config.json"), message);
    }

    @Test
    void refusesAModelWithoutAKeyThatTheLoaderNeeds() throws IOException {
        String message = refused(checkpoint("qwen2", put("rms_norm_eps", null), asItIs()));
        assertTrue(message.contains("qwen2.attention.layer_norm_rms_epsilon"), message);
    }

    @Test
    void refusesOneFileOfSeveral() throws IOException {
        Path copy = Fixtures.copy("llama-shards", folder);
        String message = refused(copy.resolve("model-00001-of-00002.safetensors"));
        assertTrue(message.contains("one of 2 files") && message.contains("llama-shards"), message);
        Files.delete(copy.resolve("model.safetensors.index.json"));
        convert(copy);
        Files.delete(folder.resolve("out.gguf"));
        Files.delete(copy.resolve("model-00002-of-00002.safetensors"));
        assertTrue(refused(copy).contains("no model-00002-of-00002.safetensors"), "second file");
        Files.move(copy.resolve("model-00001-of-00002.safetensors"), copy.resolve("model.safetensors"));
        assertTrue(refused(copy.resolve("model.safetensors")).contains("no "), "renamed");
    }

    @Test
    void aTensorOfTwoFilesMustBeTheSame() throws IOException {
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        Files.copy(input.resolve("model.safetensors"), input.resolve("model-copy.safetensors"));
        convert(input);
        Files.delete(folder.resolve("out.gguf"));
        byte[] other = Files.readAllBytes(input.resolve("model-copy.safetensors"));
        other[other.length - 1] ^= 1;
        Files.write(input.resolve("model-copy.safetensors"), other);
        assertTrue(refused(input).contains("other values than in"), "changed copy");
    }

    @Test
    void countsTheRowsWhereTheVocabularyHasNoSize() throws IOException {
        Map<String, Object> sound = keys(convert(checkpoint("qwen2", asItIs(), asItIs())));
        assertEquals(sound, keys(convert(checkpoint("qwen2", config -> config.remove("vocab_size"), asItIs()))));
        assertEquals(sound, keys(convert(checkpoint("qwen2", put("vocab_size", 100L), asItIs()))));
    }

    @Test
    void fillsTheVocabularyUpToTheRows() throws IOException {
        try (var file = GgufReader.read(convert(checkpoint("qwen2", asItIs(), tensors -> rows(tensors, 320))))) {
            var tokens = file.metadata().strings("tokenizer.ggml.tokens");
            assertEquals(320, tokens.length());
            assertEquals("[PAD319]", tokens.string(319));
            assertEquals(320, file.metadata().array("tokenizer.ggml.token_type").length());
        }
        Files.delete(folder.resolve("out.gguf"));
        String message = refused(checkpoint("qwen2", asItIs(), tensors -> rows(tensors, 256)));
        assertTrue(message.contains("256"), message);
    }

    private static void rows(Map<String, Object> tensors, int rows) {
        for (String name : List.of("model.embed_tokens.weight", "lm_head.weight")) {
            tensors.computeIfPresent(name, (n, shape) -> shape.toString().replaceFirst(" \\d+", " " + rows));
        }
    }

    @Test
    void refusesATokenTwice() throws IOException {
        Path input = checkpoint("LlamaModel-base", asItIs(), asItIs());
        JsonObject tokenizer = JsonObject.read(input.resolve("tokenizer_config.json"));
        tokenizer.values().put("added_tokens_decoder", Map.of("100", Map.of("content", "<s>", "special", true)));
        Files.writeString(tokenizer.file(), new ObjectMapper().writeValueAsString(tokenizer.values()));
        String message = refused(input);
        assertTrue(message.contains("tokens 1 and 100") && message.contains("'<s>' for both"), message);
    }

    /** By its name llama.cpp takes it for Phi-3, whose tokens it then looks for. */
    @Test
    void refusesTheNameOfPhi3ForAnotherTokenizer() throws IOException {
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        Path named = Files.move(input, folder.resolve("tuned-phi3"));
        assertTrue(refused(named).contains("</s>, <unk>, <s>"), "Phi-3");
    }

    @Test
    void refusesAByteLevelVocabularyWithoutMerges() throws IOException {
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        JsonObject tokenizer = JsonObject.read(input.resolve("tokenizer.json"));
        tokenizer.requireObject("model").values().put("merges", List.of());
        Files.writeString(tokenizer.file(), new ObjectMapper().writeValueAsString(tokenizer.values()));
        assertTrue(refused(input).contains("merges"), "merges");
    }

    /** transformers writes only norm_eps for ModernBERT, Qwen 1 has only layer_norm_epsilon: llama.cpp wants other keys. */
    @ParameterizedTest
    @CsvSource({"modernbert, layer_norm_eps, modern-bert.attention.layer_norm_epsilon, 1e-5", "qwen1, rms_norm_eps, qwen.attention.layer_norm_rms_epsilon, 1e-6"})
    void writesTheKeyThatTheReferenceForgets(String name, String without, String key, float value) throws IOException {
        try (var file = GgufReader.read(convert(checkpoint(name, config -> assertTrue(config.remove(without) != null), asItIs())))) {
            assertEquals(value, (float) file.metadata().number(key));
        }
    }

    @Test
    void vocabularyAloneNeedsNoWeights() throws IOException {
        Path input = checkpoint("qwen2", put("rms_norm_eps", null), Map::clear);
        Path out = folder.resolve("vocabulary.gguf");
        Conversion.run(new Converter.Request(input, out, OutputType.F16, null, null, null, "gpt-2", null, true, 0, false, true), Progress.NONE, Cancel.NONE);
        try (var file = GgufReader.read(out)) {
            assertEquals(0, file.tensors().size());
        }
    }
}
