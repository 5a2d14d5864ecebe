package ai.luciferai.llama.cli;

import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;
import java.util.List;

/** {@code detokenize}: the text of tokens. */
final class DetokenizeCommand implements Command {

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("detokenize", "[ID…]", Integer.MAX_VALUE, """
                Shows the text of tokens, and nothing else.
                The numbers are operands, or come from stdin; commas, blanks and brackets may stand between them.""");
        ModelMixin.file(syntax);
        return syntax.group("Text").flag("--special", "also the text of control tokens");
    }

    @Override
    public void prepare() {
        Model.prepare();
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        var path = ModelMixin.path(a);
        List<String> words = a.operands().isEmpty() ? List.of(environment.readAll()) : a.operands();
        int[] ids = ids(String.join(" ", words));
        try (Model model = ModelMixin.load(path, ModelOptions.defaults().withVocabOnly(true), environment)) {
            requireKnown(ids, model.info().shape().vocabulary());
            environment.print(model.detokenize(ids, a.has("--special")));
        }
        return ExitCode.OK;
    }

    private static int[] ids(String text) {
        return java.util.Arrays.stream(text.split("[\\s,\\[\\]]+")).filter(word -> !word.isEmpty())
                .mapToInt(word -> Arguments.integerOf("ID", word)).toArray();
    }

    private static void requireKnown(int[] ids, int vocabulary) {
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new InvalidOptionException("ID", "a token from 0 to " + (vocabulary - 1), id);
            }
        }
    }
}
