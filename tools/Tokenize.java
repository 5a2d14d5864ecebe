import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.TokenizeOptions;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Prints the token ids of texts, one line of JSON each: {@code java -cp 'lib/*' tools/Tokenize.java MODEL TEXTS}, TEXTS being a file with one JSON string a
 * line. For tokenizer_matrix.py.
 */
class Tokenize {

    public static void main(String[] args) throws Exception {
        var json = new ObjectMapper();
        try (Model model = Model.load(Path.of(args[0]), ModelOptions.defaults().withVocabOnly(true))) {
            for (String line : Files.readAllLines(Path.of(args[1]))) {
                System.out.println(json.writeValueAsString(model.tokenize(json.readValue(line, String.class), TokenizeOptions.plain())));
            }
        }
    }
}
