package ai.luciferai.llama.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is said to options of llama.cpp's programs that a verb does not have, or not with that value: what takes their place, or why
 * nothing does. The table is {@code llama-options.txt} beside this class; it is read when something is refused.
 */
final class LlamaOptions {

    private static final String TABLE = "llama-options.txt";
    private static final String EVERY_VERB = "*";

    /** Verb to name, or beginning of a name with "*" behind it, to text. */
    private final Map<String, Map<String, String>> sections = new HashMap<>();

    private LlamaOptions(List<String> lines) {
        List<String> verbs = List.of();
        for (String line : lines) {
            if (line.startsWith("[")) {
                verbs = List.of(line.substring(1, line.indexOf(']')).split(" "));
            } else if (!line.isBlank() && !line.startsWith("#")) {
                int colon = line.indexOf(": ");
                for (String name : line.substring(0, colon).split(" ")) {
                    verbs.forEach(verb -> put(verb, name, line.substring(colon + 2)));
                }
            }
        }
    }

    private void put(String verb, String name, String text) {
        if (sections.computeIfAbsent(verb, v -> new HashMap<>()).put(name, text) != null) {
            throw new IllegalStateException(TABLE + " has " + name + " twice for " + verb);
        }
    }

    static LlamaOptions read() {
        try (InputStream in = LlamaOptions.class.getResourceAsStream(TABLE)) {
            return new LlamaOptions(new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
        } catch (IOException e) {
            throw new UncheckedIOException("resource " + TABLE, e);
        }
    }

    /** What a verb says to an option; null: it is none of llama.cpp's, or one that needs no words. */
    String told(String verb, String option) {
        String own = told(sections.getOrDefault(verb, Map.of()), option);
        return own != null ? own : told(sections.get(EVERY_VERB), option);
    }

    private static String told(Map<String, String> section, String option) {
        String exact = section.get(option);
        return exact != null ? exact : section.entrySet().stream()
                .filter(e -> e.getKey().endsWith("*") && option.startsWith(e.getKey().substring(0, e.getKey().length() - 1)))
                .map(Map.Entry::getValue).findFirst().orElse(null);
    }
}
