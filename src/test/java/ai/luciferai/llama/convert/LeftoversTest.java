package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.hf.JsonObject;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a training, a wrapper or another tool left over in a checkpoint does no harm. */
class LeftoversTest extends ChangedCheckpoint {

    private static void prefix(Map<String, Object> tensors, String prefix) {
        var renamed = new LinkedHashMap<String, Object>();
        new ArrayList<>(tensors.entrySet()).forEach(entry -> renamed.put(prefix + entry.getKey(), entry.getValue()));
        tensors.clear();
        tensors.putAll(renamed);
    }

    @ParameterizedTest
    @CsvSource({"module.", "_orig_mod.", "base_model.model.", "module._orig_mod.", "_orig_mod.module.base_model.model."})
    void takesOffWhatStandsBeforeEveryName(String prefix) throws IOException {
        List<String> plain = names(convert(checkpoint("qwen2", asItIs(), asItIs())));
        assertEquals(plain, names(convert(checkpoint("qwen2", asItIs(), tensors -> prefix(tensors, prefix)))));
    }

    private static List<String> names(Path file) throws IOException {
        try (var gguf = GgufReader.read(file)) {
            return gguf.tensors().stream().map(tensor -> tensor.name() + tensor.shapeText()).toList();
        }
    }

    @ParameterizedTest
    @CsvSource({"gptq", "awq", "bitsandbytes", "fp8", "compressed-tensors", "mxfp4", "torchao"})
    void quantizationThatIsLeftOverInAModelOfFloatsCountsForNothing(String method) throws IOException {
        Path plain = checkpoint("qwen2", asItIs(), asItIs());
        byte[] expected = Files.readAllBytes(convert(plain));
        JsonObject config = JsonObject.read(plain.resolve("config.json"));
        config.values().put("quantization_config", Map.of("quant_method", method, "bits", 4L));
        Files.writeString(plain.resolve("config.json"), new ObjectMapper().writeValueAsString(config.values()));
        assertArrayEquals(expected, Files.readAllBytes(convert(plain)));
    }

    @ParameterizedTest
    @CsvSource({"gptq, up_proj.qweight", "awq, up_proj.qzeros", "bitsandbytes, up_proj.weight.absmax", "aqlm, up_proj.codes", "quanto, down_proj.weight_scale"})
    void weightsThatAreQuantizedInOtherWaysStayRefusedByName(String method, String tensor) throws IOException {
        String message = refused(checkpoint("qwen2", put("quantization_config", Map.of("quant_method", method, "bits", 4L)),
                tensors -> tensors.put("model.layers.0.mlp." + tensor, "F32 4 4")));
        assertTrue(message.contains("got " + method), message);
    }

    /** -1 says that there is no such token. */
    @ParameterizedTest
    @CsvSource({"qwen2, pad_token_id", "qwen2, bos_token_id", "bert, pad_token_id", "gemma2, eos_token_id", "t5, sep_token_id", "hunyuan-dense, pad_token_id",
            "hunyuan-dense, eod_token_id"})
    void negativeIdsAreNone(String name, String key) throws IOException {
        Map<String, Object> negative = keys(convert(checkpoint(name, put(key, -1L), asItIs())));
        assertEquals(keys(convert(checkpoint(name, put(key, null), asItIs()))), negative);
    }

    @Test
    void idsThatNoTokenHasAreSaid() throws IOException {
        try (var said = new Said(Loadable.class)) {
            convert(checkpoint("qwen2", put("mask_token_id", 300L).andThen(put("eos_token_id", 0L)), asItIs()));
            assertEquals(List.of(), said.texts());
            convert(checkpoint("qwen2", put("mask_token_id", 301L).andThen(put("eos_token_id", 0L)), asItIs()));
            assertEquals(1, said.texts().size());
            assertTrue(said.texts().getFirst().contains("tokenizer.ggml.mask_token_id is 301"), said.texts()::toString);
        }
    }

    @Test
    void positionsOfRobertaWithoutPaddingAreCountedFromZero() throws IOException {
        Path input = checkpoint("roberta", put("pad_token_id", -1L), asItIs());
        long rows = Long.parseLong(JsonObject.read(Fixtures.FOLDER.resolve("generated.json")).requireObject("roberta").requireObject("tensors").values()
                .entrySet().stream().filter(e -> e.getKey().endsWith("position_embeddings.weight")).findFirst().orElseThrow().getValue().toString().split(" ")[1]);
        try (var gguf = GgufReader.read(convert(input))) {
            assertEquals(rows, gguf.tensor("position_embd.weight").orElseThrow().ne(1));
            assertEquals(rows, gguf.metadata().integer("bert.context_length"));
        }
    }

    /** A piece without a row is not cut off in silence, and neither is a token beside them. */
    @ParameterizedTest
    @CsvSource({"phi-three", "internlm2", "mistral"})
    void piecesWithoutARowAreRefused(String name) throws IOException {
        String message = refused(checkpoint(name, put("vocab_size", 320L), tensors -> tensors.replaceAll((tensor, shape) ->
                String.valueOf(shape).replace(" 340 ", " 320 "))));
        assertTrue(message.contains("tokenizer.model: pieces: expected at most 320, the rows of the embedding (vocab_size), got "), message);
    }

    @ParameterizedTest
    @CsvSource({"t5", "phi-three", "mistral"})
    void addedTokensWithoutARowAreSaid(String name) throws IOException {
        Path input = checkpoint(name, asItIs(), asItIs());
        Files.writeString(input.resolve("added_tokens.json"), "{\"<far>\": 5000}");
        try (var said = new Said(Vocabulary.class)) {
            convert(input);
            assertTrue(said.texts().stream().anyMatch(text -> text.contains("added_tokens.json: left out") && text.contains("'<far>' (5000)")), said.texts()::toString);
        }
    }

    /** The model completes without one; nobody could chat with it, and would not know why. */
    @Test
    void aChatTemplateThatIsNotWholeIsSaidAndWritten() throws IOException {
        Path input = checkpoint("qwen2", asItIs(), asItIs());
        String template = "{% for m in messages %}\n{{ m.content ";
        Files.writeString(input.resolve("chat_template.jinja"), template);
        try (var said = new Said(ChatTemplates.class); var file = GgufReader.read(convert(input))) {
            assertEquals(template, file.metadata().string("tokenizer.chat_template"));
            assertEquals(1, said.texts().size());
            assertTrue(said.texts().getFirst().contains("does not parse, line 2: a {{ that does not close"), said.texts()::toString);
        }
        Path given = Files.writeString(folder.resolve("mine.jinja"), template);
        var refused = assertThrows(InvalidOptionException.class, () -> ChatTemplates.find(given.toString()));
        assertTrue(refused.getMessage().contains("mine.jinja: line 2: a {{ that does not close"), refused.getMessage());
    }

    /** Phi-3 keeps Llama's tokenizer: what tokenizer.json says of it alone is what Llama's class makes of the file, which tokens.json holds to the original. */
    @Test
    void phi3ContentsItselfWithTokenizerJson() throws IOException {
        JsonObject entry = JsonObject.read(Fixtures.FOLDER.resolve("generated.json")).requireObject("phi-three");
        entry.values().put("tokenizer", "byte-fallback");
        Path phi = folder.resolve("phi");
        GeneratedCheckpoint.write(entry, phi);
        Path llama = Fixtures.copy("byte-fallback", folder);
        Path out = folder.resolve("llama.gguf");
        Conversion.run(new Converter.Request(llama, out, OutputType.F16, null, null, null, null, null, true, 0, false, true), Progress.NONE, Cancel.NONE);
        try (var expected = GgufReader.read(out); var file = GgufReader.read(convert(phi))) {
            assertEquals(file.tensor("token_embd.weight").orElseThrow().ne(1), file.metadata().strings("tokenizer.ggml.tokens").length());
            int n = Math.min(expected.metadata().strings("tokenizer.ggml.tokens").length(), file.metadata().strings("tokenizer.ggml.tokens").length());
            for (String key : List.of("tokens", "scores", "token_type")) {
                assertEquals(expected.metadata().array("tokenizer.ggml." + key).list().subList(0, n), file.metadata().array("tokenizer.ggml." + key).list().subList(0, n));
            }
        }
    }
}
