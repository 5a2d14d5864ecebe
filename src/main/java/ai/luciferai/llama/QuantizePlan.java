package ai.luciferai.llama;

import ai.luciferai.llama.gguf.GgmlType;
import java.util.ArrayList;
import java.util.List;

/**
 * What a quantization does, tensor by tensor; made from the headers alone, before any weight is touched.
 *
 * @param options             what was asked for
 * @param tensors             in the order of the output
 * @param parameters          numbers in all tensors
 * @param bytesBefore         of all tensors
 * @param bytesAfter          of all tensors
 * @param fileBytes           of the output, metadata included, but for a few bytes
 * @param requantized         how many tensors are converted from a quantized type
 * @param withoutImportance   how many converted tensors the given importance matrix does not have
 * @param importanceMissing   whether a tensor's type needs an importance matrix that it does not have: {@link Quantize#run} refuses
 */
public record QuantizePlan(QuantizeOptions options, List<TensorPlan> tensors, long parameters, long bytesBefore, long bytesAfter,
        long fileBytes, int requantized, int withoutImportance, boolean importanceMissing) {

    /**
     * One tensor.
     *
     * @param shape    innermost first
     * @param fallback whether another type was wanted that its rows do not fit
     */
    public record TensorPlan(String name, List<Long> shape, GgmlType before, GgmlType after, long bytesBefore, long bytesAfter,
            boolean fallback) {

        public TensorPlan {
            shape = List.copyOf(shape);
        }

        /** Whether it needs an importance matrix: what ggml asserts, and llama-quantize refuses. */
        boolean needsImportance(QuantType type) {
            boolean end = name.equals("token_embd.weight") || name.equals("per_layer_token_embd.weight") || name.equals("output.weight");
            return before != after && switch (after) {
                case IQ2_XXS, IQ2_XS, IQ1_S -> true;
                case IQ3_XXS, IQ2_S, IQ1_M -> !end;
                case Q2_K -> !end && type == QuantType.Q2_K_S;
                default -> false;
            };
        }

        /** Name of the type in the input: {@code f16}. */
        public String from() {
            return before.label();
        }

        /** Name of the type in the output: {@code q4_K}. */
        public String to() {
            return after.label();
        }
    }

    public QuantizePlan {
        tensors = List.copyOf(tensors);
    }

    /** Of the input's tensors. */
    public double bitsPerWeightBefore() {
        return 8.0 * bytesBefore / Math.max(1, parameters);
    }

    /** Of the output's tensors. */
    public double bitsPerWeight() {
        return 8.0 * bytesAfter / Math.max(1, parameters);
    }

    /** How many tensors change their type. */
    public int converted() {
        return (int) tensors.stream().filter(tensor -> tensor.before() != tensor.after()).count();
    }

    /** How many tensors get another type than wanted, because their rows do not fit it. */
    public int fallbacks() {
        return (int) tensors.stream().filter(TensorPlan::fallback).count();
    }

    /** What the user should know before the work starts, one sentence each. */
    public List<String> warnings() {
        var warnings = new ArrayList<String>();
        if (requantized > 0) {
            warnings.add(tensors(requantized, "is", "are") + " quantized already: quantizing again loses quality");
        }
        if (fallbacks() > 0) {
            warnings.add(tensors(fallbacks(), "has", "have") + " rows that do not fit the wanted type, and a larger one is taken");
        }
        if (withoutImportance > 0) {
            warnings.add(tensors(withoutImportance, "is", "are") + " not in the importance matrix");
        }
        if (importanceMissing) {
            warnings.add(needsImportance() + ", which needs an importance matrix");
        }
        return warnings;
    }

    /** The first tensor that needs one, with its type: which may be a rule's or an option's own, not that of the whole. */
    String needsImportance() {
        return tensors.stream().filter(tensor -> tensor.needsImportance(options.type())).findFirst()
                .map(tensor -> "tensor '" + tensor.name() + "' becomes " + tensor.to()).orElse("the model becomes " + options.type());
    }

    private static String tensors(int count, String one, String several) {
        return count == 1 ? "1 tensor " + one : count + " tensors " + several;
    }
}
