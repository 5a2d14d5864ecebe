package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Tokens are those of llama-tokenize, and become the text again. */
class TokenizerGoldenIT {

    private static Model model;

    @BeforeAll
    static void load() {
        model = Model.embedded(ModelOptions.defaults().withVocabOnly(true), Progress.NONE, Cancel.NONE);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static TokenizeOptions options(JsonNode g) {
        return new TokenizeOptions(g.get("add_special").asBoolean(), g.get("parse_special").asBoolean());
    }

    @Test
    void tokensAreThoseOfLlamaTokenize() {
        for (JsonNode g : Goldens.read("golden/tokenize.jsonl")) {
            assertArrayEquals(Goldens.ints(g.get("ids")), model.tokenize(g.get("text").asText(), options(g)), () -> g.get("text").toString());
        }
    }

    /** All texts in one, so that one run of the program tells. */
    @Test
    void llamaTokenizeSaysTheSameHere(@TempDir Path folder) throws IOException {
        String text = Goldens.read("golden/tokenize.jsonl").stream().map(g -> g.get("text").asText()).collect(Collectors.joining("; "));
        Path file = Files.writeString(folder.resolve("texts.txt"), text);
        assertArrayEquals(Upstream.tokenize(EmbeddedModel.path(), file), model.tokenize(text, new TokenizeOptions(true, true)));
    }

    /** Upstream keeps vocabularies of many families in its source tree, each with texts and the ids that it must give for them. */
    @TestFactory
    Stream<DynamicTest> upstreamsOwnVocabularies() throws IOException {
        try (Stream<Path> files = Files.list(Goldens.upstreamSource().resolve("models"))) {
            List<Path> vocabularies = files.filter(f -> Files.exists(Path.of(f + ".out"))).sorted().toList();
            assertFalse(vocabularies.isEmpty());
            return vocabularies.stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> checkVocabulary(file)));
        }
    }

    private static void checkVocabulary(Path file) throws IOException {
        String[] texts = Files.readString(Path.of(file + ".inp")).split("\n__ggml_vocab_test__\n");
        List<String> expected = Files.readAllLines(Path.of(file + ".out"));
        assertEquals(expected.size(), texts.length);
        try (Model other = Model.load(file, ModelOptions.defaults().withVocabOnly(true))) {
            for (int i = 0; i < texts.length; i++) {
                String ids = IntStream.of(other.tokenize(texts[i], TokenizeOptions.plain())).mapToObj(Integer::toString)
                        .collect(Collectors.joining(" "));
                assertEquals(expected.get(i).strip(), ids, texts[i]);
            }
        }
    }

    @Test
    void tokensBecomeTheTextAgain() {
        for (JsonNode g : Goldens.read("golden/tokenize.jsonl")) {
            String text = g.get("text").asText();
            // A literal U+2581 is this vocabulary's word boundary and comes back as a space: so it is in llama.cpp.
            if (!g.get("parse_special").asBoolean() && text.indexOf('\u2581') < 0) {
                assertEquals(text, model.detokenize(Goldens.ints(g.get("ids")), true), () -> g.get("text").toString());
            }
        }
    }
}
