package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A mark of byte order, which some editors write, is no part of any text: the same bytes come out of a folder whose files have one. */
class ByteOrderMarkTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"llama-shards, config.json model.safetensors.index.json tokenizer_config.json generation_config.json README.md",
            "llama3-bpe, config.json tokenizer.json tokenizer_config.json"})
    void isNoPartOfACheckpoint(String name, String files) throws IOException {
        compare(Fixtures.copy(name, folder), files, null);
    }

    /** GPT-2's first form: a vocabulary and its merges, made of the tokenizer.json that holds both. */
    @ParameterizedTest
    @CsvSource({"vocab.json merges.txt", "vocab.json", "merges.txt"})
    void isNoPartOfAVocabulary(String files) throws IOException {
        Path copy = Fixtures.copy("gpt2-bpe", folder);
        JsonObject model = JsonObject.read(copy.resolve("tokenizer.json")).requireObject("model");
        Files.writeString(copy.resolve("vocab.json"), new com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(model.requireObject("vocab").values()));
        Files.writeString(copy.resolve("merges.txt"), String.join("\n", SpecialTokens.mergesOf(JsonObject.read(copy.resolve("tokenizer.json")))) + "\n");
        Files.delete(copy.resolve("tokenizer.json"));
        compare(copy, files, "gpt-2");
    }

    @ParameterizedTest
    @CsvSource({"bert, vocab.txt", "bert, tokenizer_config.json", "qwen1, qwen.tiktoken", "qwen1, config.json"})
    void isNoPartOfAWordList(String name, String files) throws IOException {
        JsonObject entry = JsonObject.read(Fixtures.FOLDER.resolve("generated.json")).requireObject(name);
        Path checkpoint = folder.resolve(name);
        GeneratedCheckpoint.write(entry, checkpoint);
        if (files.equals("vocab.txt")) {
            Files.delete(checkpoint.resolve("tokenizer.json"));
        }
        compare(checkpoint, files, entry.text("pre"));
    }

    private void compare(Path checkpoint, String files, String pre) throws IOException {
        String expected = digest(checkpoint, pre);
        for (String file : List.of(files.split(" "))) {
            Path path = checkpoint.resolve(file);
            String text = Files.readString(path);
            assertTrue(!text.isEmpty() && text.charAt(0) != '\uFEFF', file);
            Files.write(path, ("\uFEFF" + text).getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(expected, digest(checkpoint, pre));
    }

    private String digest(Path checkpoint, String pre) throws IOException {
        Path out = folder.resolve("out.gguf");
        Conversion.run(new Converter.Request(checkpoint, out, OutputType.F16, null, null, null, pre, null, false, 0, false, true), Progress.NONE, Cancel.NONE);
        return Fixtures.sha256(out);
    }
}
