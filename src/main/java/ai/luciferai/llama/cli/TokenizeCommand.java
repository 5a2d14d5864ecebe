package ai.luciferai.llama.cli;

import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.TokenizeOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Map;

/** {@code tokenize}: a text as a model sees it. */
final class TokenizeCommand implements Command {

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("tokenize", "", 0, """
                Shows the tokens of a text, one a line with its piece, as llama-tokenize does.
                Only the model's vocabulary is loaded.""");
        ModelMixin.file(syntax);
        TextMixin.declare(syntax);
        return AcceptedMixin.declare(syntax, "").group("Tokens")
                .flag("--no-bos --no-special", "do not add the model's start and end tokens")
                .flag("--no-parse-special", "texts such as <|im_start|> are plain text")
                .flag("--ids", "only the numbers: [1, 2, 3]")
                .flag("--show-count", "also how many")
                .flag("--json", "as JSON");
    }

    @Override
    public void prepare() {
        Model.prepare();
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        a.requireOne("--ids", "--json");
        var path = ModelMixin.path(a);
        String text = TextMixin.read(a, environment);
        var options = new TokenizeOptions(!a.has("--no-bos"), !a.has("--no-parse-special"));
        try (Model model = ModelMixin.load(path, ModelOptions.defaults().withVocabOnly(true), environment)) {
            int[] ids = model.tokenize(text, options, environment.cancel());
            if (a.has("--json")) {
                environment.print(json(model, ids));
                return ExitCode.OK;
            }
            environment.print(a.has("--ids") ? java.util.Arrays.toString(ids) + "\n" : table(model, ids));
            if (a.has("--show-count")) {
                environment.print("Total number of tokens: " + ids.length + "\n");
            }
        }
        return ExitCode.OK;
    }

    private static String table(Model model, int[] ids) {
        var out = new StringBuilder();
        for (int id : ids) {
            out.append(String.format("%6d -> '", id)).append(model.tokenText(id)).append("'\n");
        }
        return out.toString();
    }

    private static String json(Model model, int[] ids) {
        var tokens = new ArrayList<Map<String, Object>>();
        for (int id : ids) {
            tokens.add(Json.object("id", id, "text", model.tokenText(id)));
        }
        return Json.pretty(Json.object("count", ids.length, "ids", ids, "tokens", tokens));
    }
}
