package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.hf.DType;
import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Checkpoints that are quantized themselves: their packed weights become plain float tensors, computed when they are written.
 *
 * <p><i>Source</i>: llama.cpp, conversion/base.py {@code dequant_model}. All arithmetic is in float: {@code (q - zero) * scale}.
 */
final class Dequantizer {

    /** Names that only packed weights have: AWQ, GPTQ, bitsandbytes, compressed-tensors, fp8, MXFP4, HQQ, AQLM. */
    private static final Pattern PACKED = Pattern.compile("\\.(qweight|qzeros|g_idx|scales|SCB|codes|codebooks|W_q)$|weight\\.(absmax|quant_map|quant_state)"
            + "|_(blocks|packed|scale|scale_inv|zero_point|scale_2)$|\\.(input|weight|activation)_scale$");
    private static final Set<DType> FLOATS = EnumSet.of(DType.F64, DType.F32, DType.F16, DType.BF16);

    private final Path folder;
    private final Map<String, Tensor> tensors;

    private Dequantizer(Path folder, Map<String, Tensor> tensors) {
        this.folder = folder;
        this.tensors = tensors;
    }

    /**
     * Whether a checkpoint is packed as its configuration says: with tensors beside the weights, or weights of integers. A model that was
     * dequantized, or trained further, often keeps the configuration of what it was made of.
     */
    static boolean isQuantized(Collection<StoredTensor> tensors) {
        return tensors.stream().anyMatch(tensor -> PACKED.matcher(tensor.name()).find()
                || tensor.shape().length >= 2 && tensor.name().endsWith("weight") && !FLOATS.contains(tensor.type()));
    }

    /** The tensors without their packing. A tensor that replaces several comes last, as in the reference. */
    static Map<String, Tensor> dequantized(Path folder, JsonObject config, Map<String, Tensor> tensors) {
        JsonObject quantization = config.objectOrEmpty("quantization_config");
        if (!quantization.has("quant_method")) {
            return tensors;
        }
        var dequantizer = new Dequantizer(folder, new LinkedHashMap<>(tensors));
        String method = String.valueOf(quantization.get("quant_method"));
        switch (method) {
            case "fp8" -> dequantizer.scaled("_scale_inv", quantization.list("weight_block_size"));
            case "compressed-tensors" -> dequantizer.compressed(quantization);
            case "mxfp4" -> { } // repacked by the architecture
            default -> throw new UnsupportedModelException(folder, "quantization of the checkpoint",
                    "fp8, compressed-tensors (int or float quantized, pack-quantized) or mxfp4", method, "convert the model that it was quantized from");
        }
        return dequantizer.tensors;
    }

    private void compressed(JsonObject quantization) {
        String format = String.valueOf(quantization.get("format"));
        JsonObject groups = quantization.objectOrEmpty("config_groups");
        if (groups.values().size() != 1) {
            throw new UnsupportedModelException(folder, "compressed-tensors", "one configuration group", groups.values().size() + " groups");
        }
        JsonObject weights = groups.requireObject(groups.values().keySet().iterator().next()).requireObject("weights");
        switch (format) {
            case "float-quantized", "int-quantized", "naive-quantized" -> scaled("_scale", weights.list("block_structure"));
            case "pack-quantized" -> packed((int) weights.requireWhole("num_bits"), weights.requireWhole("group_size"));
            default -> throw new UnsupportedModelException(folder, "compressed-tensors format",
                    "float-quantized, int-quantized, naive-quantized or pack-quantized", format);
        }
    }

    /** Weights with a scale beside them, one per tensor, row or block. */
    private void scaled(String suffix, List<Object> blocks) {
        for (String name : List.copyOf(tensors.keySet())) {
            if (name.endsWith(".weight" + suffix)) {
                String weightName = name.substring(0, name.length() - suffix.length());
                Tensor scale = tensors.remove(name);
                Tensor weight = need(weightName);
                tensors.put(weightName, scaled(weight, scale, blocks));
            } else if (name.endsWith(".activation_scale") || name.endsWith("_activation_scale") || name.endsWith(".input_scale")) {
                tensors.remove(name);
            }
        }
    }

    private Tensor need(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new InvalidFileException(folder, "tensor '" + name + "'", "it beside its scale", "no such tensor");
        }
        return tensor;
    }

    private static Tensor scaled(Tensor weight, Tensor scale, List<Object> blocks) {
        long[] shape = weight.shape();
        long rows = shape[0];
        long columns = weight.count() / rows;
        long blockRows = blocks != null && blocks.size() == 2 && blocks.get(0) instanceof Long n ? n : 1;
        long blockColumns = blocks != null && blocks.size() == 2 && blocks.get(1) instanceof Long n ? n : columns;
        return Tensor.computed(DType.F32, () -> {
            float[] scales = scale.toFloats();
            float[] values = weight.toFloats();
            long perRow = scales.length == 1 ? 0 : scale.rank() < 2 ? 1 : scale.dim(1);
            for (int i = 0; i < values.length; i++) {
                long row = i / columns;
                long column = i % columns;
                long s = scales.length == 1 ? 0 : row / blockRows * perRow + column / blockColumns;
                values[i] *= scales[(int) s];
            }
            return MemorySegment.ofArray(values);
        }, shape);
    }

    /** Integers of few bits packed into 32-bit words, with a scale per group of columns. */
    private void packed(int bits, long group) {
        var made = new LinkedHashMap<String, Tensor>();
        for (String name : List.copyOf(tensors.keySet())) {
            if (name.endsWith(".weight_packed")) {
                String base = name.substring(0, name.length() - "_packed".length());
                Tensor words = tensors.remove(name);
                Tensor scale = need(base + "_scale");
                float[] shape = need(base + "_shape").toFloats();
                Tensor zero = tensors.get(base + "_zero_point");
                for (String suffix : List.of("_scale", "_shape", "_zero_point")) {
                    tensors.remove(base + suffix);
                }
                made.put(base, unpacked(words, scale, zero, (long) shape[0], (long) shape[1], bits, group));
            }
        }
        tensors.putAll(made);
    }

    private static Tensor unpacked(Tensor words, Tensor scale, Tensor zero, long rows, long columns, int bits, long group) {
        int perWord = 32 / bits;
        int mask = (1 << bits) - 1;
        return Tensor.computed(DType.F32, () -> {
            int[] packed = words.toInts();
            float[] scales = scale.toFloats();
            int[] zeros = zero == null ? null : zero.toInts();
            int wordsPerRow = (int) words.dim(1);
            int groups = (int) (columns / group);
            float[] values = new float[Math.toIntExact(rows * columns)];
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    int q = packed[row * wordsPerRow + column / perWord] >>> column % perWord * bits & mask;
                    int g = (int) (column / group);
                    int offset = zeros == null ? 1 << bits - 1
                            : zeros[row / perWord * groups + g] >>> row % perWord * bits & mask;
                    values[(int) (row * columns + column)] = (q - offset) * scales[row * groups + g];
                }
            }
            return MemorySegment.ofArray(values);
        }, rows, columns);
    }
}
