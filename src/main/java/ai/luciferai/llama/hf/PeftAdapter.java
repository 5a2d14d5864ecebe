package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA adapter as PEFT writes it: {@code adapter_config.json} and {@code adapter_model.safetensors} or {@code .bin}.
 *
 * <p><i>Ownership</i>: owns the mapped weights.
 */
public final class PeftAdapter implements AutoCloseable {

    private static final Pattern FACTOR = Pattern.compile("(.+)\\.lora_(embedding_)?([AB])(\\.[^.]+)??(\\.weight)?");

    /**
     * The two factors of one weight; either may be null while the other is read.
     *
     * @param a <i>shape</i> [rank, in]
     * @param b <i>shape</i> [out, rank]
     */
    public record Factors(StoredTensor a, StoredTensor b) {}

    private final Path folder;
    private final JsonObject config;
    private final PeftPatterns ranks;
    private final PeftPatterns alphas;
    private final Checkpoint weights;
    private final Map<String, Factors> factors = new LinkedHashMap<>();
    private final Map<String, StoredTensor> others = new LinkedHashMap<>();

    private PeftAdapter(Path folder, JsonObject config, PeftPatterns ranks, PeftPatterns alphas, Checkpoint weights) {
        this.folder = folder;
        this.config = config;
        this.ranks = ranks;
        this.alphas = alphas;
        this.weights = weights;
    }

    /** Whether a folder holds an adapter. */
    public static boolean isAt(Path folder) {
        return Files.isRegularFile(folder.resolve("adapter_config.json"));
    }

    /** Opens an adapter. */
    public static PeftAdapter open(Path folder) throws IOException {
        Path file = folder.resolve("adapter_config.json");
        JsonObject config = JsonObject.read(file);
        PeftVariants.requirePlainLora(file, config);
        var ranks = new PeftPatterns(file, config, "rank_pattern");
        var alphas = new PeftPatterns(file, config, "alpha_pattern");
        for (String name : List.of("adapter_model.safetensors", "adapter_model.bin")) {
            if (Files.isRegularFile(folder.resolve(name))) {
                var adapter = new PeftAdapter(folder, config, ranks, alphas, Checkpoint.openFiles(List.of(folder.resolve(name))));
                try {
                    adapter.sort();
                    return adapter;
                } catch (Throwable fault) {
                    adapter.close();
                    throw fault;
                }
            }
        }
        throw new InvalidFileException(folder, "weights", "adapter_model.safetensors or adapter_model.bin", "neither");
    }

    private void sort() {
        String only = null; // the adapter's name, which PEFT leaves out of the files that it saves
        for (StoredTensor tensor : inFileOrder()) {
            String name = tensor.name().replace("base_model.model.", "");
            Matcher factor = FACTOR.matcher(name);
            requireFactorOfAWeight(tensor);
            if (factor.matches()) {
                String of = factor.group(1) + ".weight";
                String adapter = String.valueOf(factor.group(4));
                only = only == null ? adapter : only;
                if (!adapter.equals(only)) {
                    throw new InvalidFileException(weights.paths().getFirst(), "factors of '" + of + "'", "one adapter in a file",
                            "several", "save each adapter by itself with PEFT's save_pretrained", null);
                }
                Factors known = factors.getOrDefault(of, new Factors(null, null));
                factors.put(of, factor.group(3).equals("A") ? new Factors(tensor, known.b) : new Factors(known.a, tensor));
            } else if (!name.contains(".base_layer.weight")) {
                others.put(name, tensor);
            }
        }
        factors.forEach((name, pair) -> {
            if (pair.a == null || pair.b == null || pair.a.shape().length != 2 || pair.b.shape().length != 2
                    || pair.a.shape()[0] != pair.b.shape()[1]) {
                throw new InvalidFileException(folder, "factors of '" + name + "'", "lora_A [rank, in] and lora_B [out, rank]",
                        pair.a == null ? "no lora_A" : pair.b == null ? "no lora_B" : "other shapes");
            }
        });
        if (factors.isEmpty()) {
            throw new InvalidFileException(folder, "weights", "tensors named lora_A and lora_B", "none");
        }
    }

    /** As the reference reads an adapter, and no model: a safetensors file as its data lie. */
    private List<StoredTensor> inFileOrder() {
        var tensors = new ArrayList<>(weights.tensors().values());
        if (weights.paths().getFirst().toString().endsWith(".safetensors")) {
            tensors.sort(Comparator.comparingLong(tensor -> tensor.storage().address()));
        }
        return tensors;
    }

    /** PEFT's biases end as factors do, so that the name of the bias would be taken for that of an adapter. */
    private void requireFactorOfAWeight(StoredTensor tensor) {
        if (tensor.name().contains(".lora_") && tensor.name().endsWith(".bias")) {
            throw new UnsupportedModelException(weights.paths().getFirst(), "tensor '" + tensor.name() + "'", "factors without a bias",
                    "a bias (lora_bias)", PeftVariants.MERGE);
        }
    }

    /** The pairs of factors, by the name of the weight in the base model. */
    public Map<String, Factors> factors() {
        return factors;
    }

    /** Tensors that are no factors, by name. */
    public Map<String, StoredTensor> others() {
        return others;
    }

    /** {@code lora_alpha}. */
    public double alpha() {
        return config.requireNumber("lora_alpha");
    }

    /**
     * What PEFT multiplies the product of the factors of one weight with.
     *
     * @param rank of its factors
     * @throws InvalidFileException when the configuration gives the weight another rank: PEFT loads no such adapter
     */
    public double scale(String name, long rank) {
        Path file = folder.resolve("adapter_config.json");
        String module = name.replaceFirst("\\.weight$", "");
        double expected = ranks.value(module, config.get("r") instanceof Number r ? r.doubleValue() : rank);
        if (expected != rank) {
            throw new InvalidFileException(file, "rank of '" + name + "'", String.valueOf(rank), String.valueOf(expected));
        }
        double alpha = alphas.value(module, alpha());
        return Boolean.TRUE.equals(config.get("use_rslora")) ? alpha / Math.sqrt(rank) : alpha / rank;
    }

    /** Folder of the base model, where the configuration names one that is here; else null. */
    public Path base() {
        try {
            Path path = config.get("base_model_name_or_path") instanceof String name && !name.isEmpty() ? Path.of(name) : null;
            return path != null && Files.isRegularFile(path.resolve("config.json")) ? path : null;
        } catch (InvalidPathException odd) {
            return null;
        }
    }

    /** Weight files. */
    public List<Path> paths() {
        return weights.paths();
    }

    @Override
    public void close() {
        weights.close();
    }
}
