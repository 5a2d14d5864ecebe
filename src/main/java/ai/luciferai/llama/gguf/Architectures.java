package ai.luciferai.llama.gguf;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The architectures that llama.cpp knows, and what it takes for granted of each. See architectures.txt. */
final class Architectures {

    private static final Map<String, Architectures> BY_NAME = load();

    private final List<String> nonZero;
    private final List<Companion> companions;

    /**
     * A tensor that a layer must have when it has another.
     *
     * @param present name within the layer: "ssm_conv1d.weight"
     * @param needed  name within the layer
     */
    record Companion(String present, String needed) {}

    private Architectures(List<String> words) {
        nonZero = words.stream().filter(word -> !word.contains(">")).toList();
        companions = words.stream().filter(word -> word.contains(">"))
                .map(word -> new Companion(word.substring(0, word.indexOf('>')), word.substring(word.indexOf('>') + 1))).toList();
    }

    private static Map<String, Architectures> load() {
        var byName = new HashMap<String, Architectures>();
        for (String line : Resources.lines("architectures.txt")) {
            List<String> words = List.of(line.split(" "));
            byName.put(words.getFirst(), new Architectures(words.subList(1, words.size())));
        }
        return byName;
    }

    /** The architecture with this name, or null. */
    static Architectures of(String name) {
        return BY_NAME.get(name);
    }

    /** Keys, without the architecture's prefix, that must exist and not be 0. */
    List<String> nonZero() {
        return nonZero;
    }

    /** Tensors that layers must have together. */
    List<Companion> companions() {
        return companions;
    }
}
