package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

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
