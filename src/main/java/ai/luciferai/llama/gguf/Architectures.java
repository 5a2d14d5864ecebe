package ai.luciferai.llama.gguf;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The architectures that llama.cpp knows, and by which of their keys it divides without looking. */
final class Architectures {

    private static final Map<String, List<String>> DIVISORS = load();

    private Architectures() {}

    private static Map<String, List<String>> load() {
        var divisors = new HashMap<String, List<String>>();
        for (String line : Resources.lines("architectures.txt")) {
            List<String> words = List.of(line.split(" "));
            divisors.put(words.getFirst(), words.subList(1, words.size()));
        }
        return divisors;
    }

    /** Keys, without prefix, that must exist and not be 0; null for an unknown architecture. */
    static List<String> divisors(String architecture) {
        return DIVISORS.get(architecture);
    }
}
