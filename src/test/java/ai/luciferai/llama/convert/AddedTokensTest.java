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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Added tokens of before tokenizer_config.json listed them: {@code added_tokens.json} and {@code special_tokens_map.json} beside
 * {@code vocab.json}. What is expected is what convert_hf_to_gguf.py of llama.cpp v0.5.0 wrote with transformers 4.57.6.
 */
class AddedTokensTest {

    private static final int BASE = 300;

    @TempDir
    Path folder;

    /** The tokens behind the model's own, each with its type. */
    private String tokens(Map<String, Object> files, String... added) throws IOException {
        Path input = Fixtures.copy("qwen2-bpe", folder);
        JsonObject tokenizer = JsonObject.read(input.resolve("tokenizer.json"));
        Files.delete(input.resolve("tokenizer.json"));
        JsonObject model = tokenizer.requireObject("model");
        List<String> merges = new ArrayList<>();
        model.list("merges").forEach(pair -> merges.add(pair instanceof List<?> two ? two.get(0) + " " + two.get(1) : String.valueOf(pair)));
        Files.writeString(input.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", merges) + "\n");
        var ids = new LinkedHashMap<String, Object>(Map.of("<|endoftext|>", 0, "<|im_end|>", 1));
        for (String token : added) {
            ids.put(token, BASE + ids.size() - 2);
        }
        var all = new HashMap<String, Object>(Map.of("vocab.json", model.requireObject("vocab").values(), "added_tokens.json", ids,
                "tokenizer_config.json", Map.of("tokenizer_class", "Qwen2Tokenizer")));
        all.putAll(files);
        JsonObject config = JsonObject.read(input.resolve("config.json"));
        config.values().put("vocab_size", BASE + 8L);
        all.put("config.json", config.values());
        for (Map.Entry<String, Object> file : all.entrySet()) {
            Files.writeString(input.resolve(file.getKey()), new ObjectMapper().writeValueAsString(file.getValue()));
        }
        Path out = folder.resolve("out.gguf");
        Conversion.run(new Converter.Request(input, out, OutputType.F16, null, null, null, "gpt-2", null, true, 0, false, true), Progress.NONE, Cancel.NONE);
        try (var file = GgufReader.read(out)) {
            List<String> texts = file.metadata().strings("tokenizer.ggml.tokens").strings();
            List<?> types = file.metadata().array("tokenizer.ggml.token_type").list();
            assertEquals(BASE + 8, texts.size());
            return IntStream.range(BASE, texts.size()).filter(i -> !texts.get(i).startsWith("[PAD3"))
                    .mapToObj(i -> texts.get(i) + " " + types.get(i)).collect(Collectors.joining(", "));
        }
    }

    @Test
    void tokensWithoutAWordOfTheirKindAreUsersUnlessTheyLookSpecial() throws IOException {
        assertEquals(" tool 4, <tool> 4, plain word 4, [PAD] 4, <|x|> 3", tokens(Map.of(), "\u2581tool", "<tool>", "plain word", "[PAD]", "<|x|>"));
    }

    @Test
    void tokensThatTheMapNamesAreSpecial() throws IOException {
        Map<String, Object> end = Map.of("content", "</end>", "lstrip", false, "rstrip", false, "normalized", false, "single_word", false);
        assertEquals("plain 3, </end> 3, word  two 4,  x 4", tokens(Map.of("special_tokens_map.json", Map.of("pad_token", "plain", "eos_token", end)),
                "plain", "</end>", "word  two", "\u2581x"));
    }

    /** Newer versions write an empty list where they know of no tokens: an older file beside it counts for nothing. */
    @Test
    void anEmptyListOfTheNewerKindWins() throws IOException {
        try (var said = new Said(FastTokenizer.class)) {
            assertEquals("", tokens(Map.of("tokenizer_config.json", Map.of("tokenizer_class", "Qwen2Tokenizer", "added_tokens_decoder", Map.of())),
                    "plain", "</end>"));
            assertEquals(1, said.texts().size());
            assertTrue(said.texts().getFirst().contains("added_tokens.json: its tokens are left out"), said.texts()::toString);
        }
    }
}
