package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.UnsupportedModelException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The factors of experts, which a checkpoint has one by one and GGUF in one tensor: A and B are stacked as the family stacks the weights.
 *
 * <p><i>Shape</i>: A [experts, rank, in], B [experts, out, rank].
 *
 * <p><i>Source</i>: llama.cpp, convert_lora_to_gguf.py {@code LoraTorchTensor}.
 */
final class ExpertPairs {

    private static final Pattern EXPERT = Pattern.compile("\\bexperts\\.\\d+\\.");

    private final Path folder;
    /** The family twice, for each collects what it stacks. */
    private final Architecture ofB;
    private final Architecture ofA;
    private final OutputType type;
    private final List<PlannedTensor> planned;
    private final Map<String, Tensor> stackedA = new HashMap<>();
    private final Map<String, Tensor> stackedB = new LinkedHashMap<>();
    /** By the name without the expert's number: the arithmetic of a stacked tensor is one. */
    private final Map<String, Float> folds = new HashMap<>();

    ExpertPairs(Path folder, Architecture ofB, Architecture ofA, OutputType type, List<PlannedTensor> planned) {
        this.folder = folder;
        this.ofB = ofB;
        this.ofA = ofA;
        this.type = type;
        this.planned = planned;
    }

    /** Whether a name is that of one expert's matrix. */
    static boolean isExpert(String name) {
        return EXPERT.matcher(name).find();
    }

    /** Takes one expert's pair; a layer's tensors are planned when all of its experts are there. */
    void add(String name, Tensor a, Tensor b, float fold) {
        String part = part(name);
        Float other = folds.putIfAbsent(part, fold);
        if (other != null && other != fold) {
            throw new UnsupportedModelException(folder, "adapter for '" + name + "'", "one scale for all experts of a layer", "several",
                    "merge the adapter into its base with PEFT");
        }
        int block = Converter.blockOf(name);
        try {
            ofB.modify(b, name, block, stackedB::put);
            ofA.modify(a, name, block, stackedA::put);
            plan();
        } catch (Tensor.ShapeException | ArithmeticException odd) {
            throw AdapterConverter.onlyReordered(folder, ofB, name);
        }
    }

    /** After the last pair: experts of which not every matrix has factors. */
    void finish() {
        try {
            ofB.flushExperts(stackedB::put);
            ofA.flushExperts(stackedA::put);
            plan();
        } catch (Tensor.ShapeException odd) {
            throw AdapterConverter.onlyReordered(folder, ofB, "experts");
        }
    }

    private void plan() {
        stackedB.forEach((name, b) -> {
            Tensor a = stackedA.get(name);
            if (a == null || a.rank() != 3 || b.rank() != 3 || a.dim(1) != b.dim(2)) {
                throw new Tensor.ShapeException("experts that are not only stacked");
            }
            planned.add(PlannedTensor.of(name + ".lora_a", type.type(), a));
            planned.add(PlannedTensor.of(name + ".lora_b", type.type(), AdapterConverter.scaled(b, foldOf(name))));
        });
        stackedA.clear();
        stackedB.clear();
    }

    /** The name of a stacked tensor in the GGUF, as far as the table of names has it for a checkpoint of stacked experts. */
    private String part(String name) {
        String whole = EXPERT.matcher(name).replaceFirst("experts.");
        String mapped = ofB.names.find(whole);
        return mapped == null ? whole : mapped;
    }

    private float foldOf(String name) {
        Float fold = folds.get(name);
        if (fold == null && folds.values().stream().distinct().count() != 1) {
            throw new Tensor.ShapeException("experts whose parts have several scales");
        }
        return fold == null ? folds.values().iterator().next() : fold;
    }
}
