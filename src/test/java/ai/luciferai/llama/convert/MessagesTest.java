package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** Refusals name the file, the key and the names that stand in it; nothing of a tokenizer is dropped in silence. */
class MessagesTest extends ChangedCheckpoint {

    private Path tokenizer(Consumer<JsonObject> change) throws IOException {
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        JsonObject json = JsonObject.read(input.resolve("tokenizer.json"));
        change.accept(json);
        Files.writeString(json.file(), new ObjectMapper().writeValueAsString(json.values()));
        return input;
    }

    private static Map<String, Object> vocab(JsonObject json) {
        return json.requireObject("model").requireObject("vocab").values();
    }

    @Test
    void twoTokensOfOneIdAreRefused() throws IOException {
        String message = refused(tokenizer(json -> vocab(json).put("onemore", 7L)));
        assertTrue(message.contains("tokenizer.json") && message.contains("id 7") && message.contains("'onemore'"), message);
    }

    @Test
    void aTokenWithTwoIdsIsRefused() throws IOException {
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        Path file = input.resolve("tokenizer.json");
        Files.writeString(file, Files.readString(file).replaceFirst("\"vocab\"\\s*:\\s*\\{", "\"vocab\":{\"!\":299,"));
        String message = refused(input);
        assertTrue(message.contains("token '!'") && message.contains("299 and"), message);
    }

    @Test
    void tokensBeyondTheRowsAreTheTokenizers() throws IOException {
        String message = refused(tokenizer(json -> vocab(json).put("farout", 5000L)));
        assertTrue(message.contains("tokenizer.json: tokens: expected ids below 301") && message.contains("'farout' with id 5000"), message);
        assertTrue(message.contains("HINT") && message.contains("resize_token_embeddings"), message);
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        Files.writeString(input.resolve("added_tokens.json"), "{\"<a>\": 301, \"<b>\": 302}");
        Path config = input.resolve("tokenizer_config.json");
        if (Files.exists(config)) {
            JsonObject json = JsonObject.read(config);
            json.values().remove("added_tokens_decoder");
            Files.writeString(config, new ObjectMapper().writeValueAsString(json.values()));
        }
        message = refused(input);
        assertTrue(message.contains("'<b>' with id"), message);
    }

    @Test
    void tokensBesideASentencePieceModelAreNotDroppedInSilence() throws IOException {
        Path input = Fixtures.copy("llama-shards", folder);
        long rows = JsonObject.read(input.resolve("config.json")).requireWhole("vocab_size");
        Files.writeString(input.resolve("added_tokens.json"), "{\"<pad>\": " + rows + "}");
        try (var said = new Said(Vocabulary.class)) {
            convert(input);
            assertEquals(1, said.texts().size());
            assertTrue(said.texts().getFirst().contains("added_tokens.json") && said.texts().getFirst().contains("'<pad>' (" + rows + ")"), said.texts()::toString);
        }
    }

    @Test
    void aVocabSizeAboveTheRowsIsSaidToBeWrong() throws IOException {
        try (var said = new Said(VocabularySize.class)) {
            try (var file = GgufReader.read(convert(checkpoint("qwen2", put("vocab_size", 2000L), asItIs())))) {
                assertEquals(301, file.metadata().strings("tokenizer.ggml.tokens").length());
            }
            assertEquals(1, said.texts().size(), said.texts()::toString);
            assertTrue(said.texts().getFirst().contains("vocab_size is 2000") && said.texts().getFirst().contains("301 rows"), said.texts()::toString);
        }
    }

    @Test
    void sizesAreNamedByTheirKeys() throws IOException {
        String message = refused(checkpoint("qwen2", put("num_hidden_layers", 1L), asItIs()));
        assertTrue(message.contains("config.json: key 'num_hidden_layers'") && message.contains("model.layers.1."), message);
        message = refused(checkpoint("LlamaModel-base", put("num_attention_heads", 3L), asItIs()));
        assertTrue(message.contains("num_attention_heads 3"), message);
    }

    @Test
    void anUnknownModelOfATokenizerIsNamed() throws IOException {
        String message = refused(tokenizer(json -> json.requireObject("model").values().put("type", "Foo")));
        assertTrue(message.contains("model.type") && message.contains("'Foo'"), message);
    }

    @Test
    void aMissingTensorIsNamedOnceAndAsTheCheckpointNamesIt() throws IOException {
        String message = refused(checkpoint("qwen2", asItIs(), tensors -> tensors.remove("model.embed_tokens.weight")));
        assertTrue(message.contains("token_embd.weight (model.embed_tokens.weight)"), message);
        assertFalse(message.matches("(?s).*token_embd.*token_embd.*"), message);
        message = refused(checkpoint("qwen2", asItIs(), tensors -> tensors.remove("model.layers.1.self_attn.k_proj.weight")));
        assertTrue(message.contains("(model.layers.1.self_attn.k_proj.weight)"), message);
    }
}
