package ai.luciferai.llama.cli;

import ai.luciferai.llama.EmbedOptions;
import ai.luciferai.llama.Embedder;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.ModelOptions;
import ai.luciferai.llama.Pooling;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code embed}: texts as vectors. */
final class EmbedCommand implements Command {

    @Override
    public Syntax syntax() {
        var syntax = new Syntax("embed", "", 0, """
                Turns a text into a vector, one number after the other on a line.
                With --lines each line is a text of its own, and each vector stands on its own line.""");
        TextMixin.declare(syntax);
        syntax.flag("--lines", "each line is a text");
        syntax.group("Vectors")
                .choice("--pooling", List.of("auto", "none", "mean", "cls", "last", "rank"),
                        "how the vectors of the tokens become one; none: a vector for each token", "auto")
                .toggle("--normalize --normalise", "--no-normalize --no-normalise", "length 1 (default: yes)")
                .choice("--embd-normalize", List.of("2", "-1"), "the same in llama.cpp's numbers: 2 length 1, -1 as they are", null)
                .flag("--json", "as JSON, with the texts")
                .flag("--array", "as a JSON array of arrays")
                .choice("--embd-output-format", List.of("raw", "array"), "array: as --array", "raw");
        ModelMixin.declare(syntax);
        ContextMixin.declare(syntax);
        return AcceptedMixin.declare(syntax, "--no-warmup");
    }

    @Override
    public void prepare() {
        Model.prepare();
    }

    @Override
    public int run(Arguments a, Environment environment) throws IOException {
        a.requireOne("--json", "--array", "--embd-output-format");
        a.requireOne("--normalize", "--embd-normalize");
        var path = ModelMixin.path(a);
        ModelOptions modelOptions = ModelMixin.options(a);
        EmbedOptions options = EmbedOptions.defaults()
                .withPooling(Pooling.valueOf(a.text("--pooling", "auto").toUpperCase(Locale.ROOT)))
                .withNormalise(a.on("--normalize", !a.text("--embd-normalize", "2").equals("-1")))
                .withContext(ContextMixin.options(a));
        String text = TextMixin.read(a, environment);
        List<String> texts = a.has("--lines") ? text.lines().filter(line -> !line.isBlank()).toList() : List.of(text);
        ModelMixin.addServers(a);
        try (Model model = ModelMixin.load(path, modelOptions, environment); Embedder embedder = model.embedder(options)) {
            List<List<float[]>> vectors = options.pooling() == Pooling.NONE
                    ? texts.stream().map(embedder::embedTokens).toList()
                    : embedder.embedAll(texts).stream().map(List::of).toList();
            environment.print(print(a, embedder, texts, vectors));
        }
        return ExitCode.OK;
    }

    private static String print(Arguments a, Embedder embedder, List<String> texts, List<List<float[]>> vectors) {
        if (a.has("--array") || a.text("--embd-output-format", "raw").equals("array")) {
            return Json.line(vectors.stream().flatMap(List::stream).toList());
        }
        if (!a.has("--json")) {
            var out = new StringBuilder();
            vectors.forEach(list -> list.forEach(vector -> line(out, vector)));
            return out.toString();
        }
        var items = new ArrayList<Map<String, Object>>();
        for (int i = 0; i < texts.size(); i++) {
            items.add(embedder.pooling() == Pooling.NONE
                    ? Json.object("text", texts.get(i), "embeddings", vectors.get(i))
                    : Json.object("text", texts.get(i), "embedding", vectors.get(i).getFirst()));
        }
        return Json.pretty(Json.object("dimensions", embedder.dimensions(), "pooling",
                embedder.pooling().name().toLowerCase(Locale.ROOT), "data", items));
    }

    /** Nine digits tell any two floats apart. */
    private static void line(StringBuilder out, float[] vector) {
        for (int i = 0; i < vector.length; i++) {
            out.append(i == 0 ? "" : " ").append(String.format(Locale.ROOT, "%.9g", vector[i]));
        }
        out.append('\n');
    }
}
