package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Collects the experts of a layer until all are there, then stacks each of their matrices into one tensor, in the order of the reference.
 */
final class ExpertStack {

    private static final int MOST_EXPERTS = 1 << 16;

    private final ModelSource source;
    private final String marker;
    private final String merged;
    private final String countKey;
    private final String[] parts;
    private final Map<Integer, Map<String, Tensor>> waiting = new HashMap<>();

    /**
     * @param marker   what the names of experts' matrices have in common; they end in {@code experts.N.PART.weight}
     * @param merged   name of a stacked tensor; {@code {bid}} and {@code {xid}} stand for block and part
     * @param countKey configuration key with the number of experts
     * @param parts    names of an expert's matrices, in the order of the output
     */
    ExpertStack(ModelSource source, String marker, String merged, String countKey, String... parts) {
        this.source = source;
        this.marker = marker;
        this.merged = merged;
        this.countKey = countKey;
        this.parts = parts;
    }

    /**
     * Takes a tensor if it is one matrix of one expert.
     *
     * @param done gets the stacked tensors once the layer is complete
     * @return whether it was one
     */
    boolean take(Tensor tensor, String name, int block, BiConsumer<String, Tensor> done) {
        if (!name.contains(marker)) {
            return false;
        }
        Map<String, Tensor> layer = waiting.computeIfAbsent(block, b -> new HashMap<>());
        String key = name.substring(name.lastIndexOf("experts.") + "experts.".length());
        layer.put(key, tensor);
        long count = source.config().requireWhole(countKey);
        if (count < 1 || count > MOST_EXPERTS) {
            throw new InvalidFileException(source.config().raw().file(), "key '" + countKey + "'", "a number from 1 to " + MOST_EXPERTS, String.valueOf(count));
        }
        if (layer.size() < count * parts.length) {
            return true;
        }
        for (String part : parts) {
            var stack = new ArrayList<Tensor>();
            for (long expert = 0; expert < count; expert++) {
                Tensor one = layer.get(expert + "." + part + ".weight");
                if (one == null) {
                    throw new InvalidFileException(source.folder(), "experts of layer " + block,
                            expert + "." + part + ".weight among " + count + " experts", "none");
                }
                stack.add(one);
            }
            done.accept(merged.replace("{bid}", String.valueOf(block)).replace("{xid}", part), Tensor.stack(stack));
        }
        waiting.remove(block);
        return true;
    }

    /**
     * Gives out what waits, part by part: an adapter need not change every matrix of an expert.
     *
     * @throws InvalidFileException when a part lacks experts
     */
    void flush(BiConsumer<String, Tensor> done) {
        for (var layer : waiting.entrySet()) {
            long count = source.config().requireWhole(countKey);
            for (String part : parts) {
                var stack = new ArrayList<Tensor>();
                for (long expert = 0; expert < count; expert++) {
                    Tensor one = layer.getValue().remove(expert + "." + part + ".weight");
                    if (one != null) {
                        stack.add(one);
                    }
                }
                if (!stack.isEmpty() && stack.size() < count) {
                    throw new InvalidFileException(source.folder(), "experts of layer " + layer.getKey(), part + " of all " + count + " experts, or of none",
                            stack.size() + " of them", "merge the adapter into its base with PEFT");
                }
                if (!stack.isEmpty()) {
                    done.accept(merged.replace("{bid}", String.valueOf(layer.getKey())).replace("{xid}", part), Tensor.stack(stack));
                }
            }
        }
        waiting.values().removeIf(Map::isEmpty);
        requireComplete();
    }

    /** @throws InvalidFileException when a layer lacks experts */
    void requireComplete() {
        for (var layer : waiting.entrySet()) {
            List<String> names = layer.getValue().keySet().stream().sorted().limit(8).toList();
            throw new InvalidFileException(source.folder(), "experts of layer " + layer.getKey(),
                    source.config().requireWhole(countKey) + " experts with " + String.join(", ", parts),
                    layer.getValue().size() + " tensors: " + String.join(", ", names), "the download may be incomplete");
        }
    }
}
