package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.Utf8;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * The YAML front matter of a model card ({@code README.md}).
 *
 * <p>A card is decoration: a card that cannot be read is as good as none, with a warning from the caller.
 */
public final class ModelCard {

    private static final int MOST_DEPTH = 50;

    private ModelCard() {}

    /** The front matter, empty when the folder has no card or the card none; null when it cannot be read. */
    public static JsonObject read(Path folder) throws IOException {
        Path file = folder.resolve("README.md");
        var empty = new JsonObject(file, new LinkedHashMap<>());
        if (!Files.isRegularFile(file)) {
            return empty;
        }
        if (Files.size(file) > SmallFile.MOST_BYTES) {
            return null;
        }
        List<String> lines = Utf8.withoutMark(new String(SmallFile.read(file), StandardCharsets.UTF_8)).lines().toList();
        if (lines.isEmpty() || !lines.getFirst().equals("---")) {
            return empty;
        }
        int end = lines.subList(1, lines.size()).indexOf("---");
        String yaml = String.join("\n", lines.subList(1, end < 0 ? lines.size() : end + 1)) + "\n";
        // As the reference: "no" is Norwegian, not false, and a tab stands for two blanks.
        yaml = yaml.replace("- no\n", "- \"no\"\n").replace("\t", "  ");
        try {
            var options = new LoaderOptions();
            options.setMaxAliasesForCollections(8); // each can multiply what it names
            Object data = new Yaml(new SafeConstructor(options)).load(yaml);
            if (!(data instanceof Map<?, ?> map)) {
                return data == null ? empty : null;
            }
            var values = new LinkedHashMap<String, Object>();
            map.forEach((key, value) -> values.put(String.valueOf(key), plain(value, 0)));
            return new JsonObject(file, values);
        } catch (YAMLException broken) {
            return null;
        }
    }

    /** Whole numbers as the JSON reader gives them. A value can be a part of itself. */
    private static Object plain(Object value, int depth) {
        if (depth > MOST_DEPTH) {
            throw new YAMLException("values nested deeper than " + MOST_DEPTH);
        }
        return switch (value) {
            case Integer number -> (Object) number.longValue();
            case Map<?, ?> map -> {
                var values = new LinkedHashMap<String, Object>();
                map.forEach((key, item) -> values.put(String.valueOf(key), plain(item, depth + 1)));
                yield values;
            }
            case List<?> list -> list.stream().map(item -> plain(item, depth + 1)).toList();
            case null, default -> value;
        };
    }
}
