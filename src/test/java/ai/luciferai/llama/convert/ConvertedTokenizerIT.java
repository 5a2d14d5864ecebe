package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.TokenizeOptions;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** A converted vocabulary gives the tokens of the original tokenizer: of sentencepiece or of the tokenizers library, in tokens.json. */
class ConvertedTokenizerIT {

    @TempDir
    Path folder;

    private static JsonNode read(String name) throws IOException {
        return new ObjectMapper().readTree(Fixtures.FOLDER.resolve(name).toFile());
    }

    private Model converted(Path input, String name) throws IOException {
        Path out = folder.resolve(name + ".gguf");
        Conversion.run(new Converter.Request(input, out, OutputType.F16, null, null, null, null, null, true, 0, false, true),
                Progress.NONE, Cancel.NONE);
        return Model.load(out, ModelOptions.defaults().withVocabOnly(true));
    }

    @TestFactory
    Stream<DynamicTest> tokensAreTheOriginalOnes() throws IOException {
        JsonNode texts = read("texts.json");
        JsonNode goldens = read("tokens.json");
        return goldens.properties().stream().map(java.util.Map.Entry::getKey).map(name -> DynamicTest.dynamicTest(name, () -> {
            try (Model model = converted(Fixtures.FOLDER.resolve(name), name)) {
                for (int i = 0; i < texts.size(); i++) {
                    String text = texts.get(i).asText();
                    int[] expected = new ObjectMapper().convertValue(goldens.get(name).get(i), int[].class);
                    assertArrayEquals(expected, model.tokenize(text, TokenizeOptions.plain()), text);
                }
            }
        }));
    }
}
