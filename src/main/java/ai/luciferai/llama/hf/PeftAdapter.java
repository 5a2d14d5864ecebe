package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
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
    private final Checkpoint weights;
    private final Map<String, Factors> factors = new LinkedHashMap<>();
    private final Map<String, StoredTensor> others = new LinkedHashMap<>();

    private PeftAdapter(Path folder, JsonObject config, Checkpoint weights) {
        this.folder = folder;
        this.config = config;
        this.weights = weights;
    }

    /** Whether a folder holds an adapter. */
    public static boolean isAt(Path folder) {
        return Files.isRegularFile(folder.resolve("adapter_config.json"));
    }

    /** Opens an adapter. */
    public static PeftAdapter open(Path folder) throws IOException {
        JsonObject config = JsonObject.read(folder.resolve("adapter_config.json"));
        requirePlainLora(folder, config);
        for (String name : List.of("adapter_model.safetensors", "adapter_model.bin")) {
            if (Files.isRegularFile(folder.resolve(name))) {
                var adapter = new PeftAdapter(folder, config, Checkpoint.openFiles(List.of(folder.resolve(name))));
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

    private static void requirePlainLora(Path folder, JsonObject config) {
        Object type = config.get("peft_type");
        if (type != null && !"LORA".equals(type)) {
            throw new UnsupportedModelException(folder, "kind of adapter", "LORA", String.valueOf(type));
        }
        if (Boolean.TRUE.equals(config.get("use_dora"))) {
            throw new UnsupportedModelException(folder, "DoRA", "plain LoRA", "use_dora",
                    "GGUF adapters have no magnitudes: merge the adapter into its base with PEFT, then convert the result");
        }
    }

    private void sort() {
        for (StoredTensor tensor : weights.tensors().values()) {
            String name = tensor.name().replace("base_model.model.", "");
            Matcher factor = FACTOR.matcher(name);
            if (factor.matches()) {
                String of = factor.group(1) + ".weight";
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

    /** What PEFT multiplies the product of the factors of one weight with. */
    public double scale(String name, long rank) {
        double alpha = alpha();
        for (var pattern : config.objectOrEmpty("alpha_pattern").values().entrySet()) {
            if (pattern.getValue() instanceof Number number && name.replaceFirst("\\.weight$", "").matches("(.*\\.)?" + Pattern.quote(pattern.getKey()))) {
                alpha = number.doubleValue();
            }
        }
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
