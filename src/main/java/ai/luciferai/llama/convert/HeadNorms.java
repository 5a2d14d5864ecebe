package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Collects norms that are stored one per head, {@code ….norms.N.weight}, and stacks them when all heads are there. */
final class HeadNorms {

    private final Map<String, Map<Integer, Tensor>> waiting = new HashMap<>();

    /** The stacked norms when this one was the last, else null. */
    Tensor take(Tensor norm, String name, long heads) {
        int cut = name.lastIndexOf(".norms.") + ".norms.".length();
        String stem = name.substring(0, cut);
        Map<Integer, Tensor> layer = waiting.computeIfAbsent(stem, s -> new HashMap<>());
        layer.put(Converter.blockOf(name.substring(cut)), norm);
        if (layer.size() < heads) {
            return null;
        }
        List<Tensor> stack = new ArrayList<>();
        for (int head = 0; head < heads; head++) {
            if (!layer.containsKey(head)) {
                throw new Tensor.ShapeException("no norm of head " + head);
            }
            stack.add(layer.get(head));
        }
        waiting.remove(stem);
        return Tensor.stack(stack);
    }

    /** @throws InvalidFileException when a layer lacks norms */
    void requireComplete(Path folder) {
        if (!waiting.isEmpty()) {
            throw new InvalidFileException(folder, "norms " + waiting.keySet().iterator().next() + "*", "one for each head", "fewer");
        }
    }
}
