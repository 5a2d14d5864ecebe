package ai.luciferai.llama.convert;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * The parameters of a model, counted and written as people write them: {@code 7B}, {@code 8x7B}.
 *
 * <p><i>Source</i>: gguf-py, {@code GGUFWriter.get_total_parameter_count} and utility.py {@code size_label}.
 *
 * @param total   parameters in all; negative for an adapter, whose base is not known
 * @param shared  those outside experts
 * @param expert  those of one expert
 * @param experts number of experts, 0 for none
 */
record SizeLabel(long total, long shared, long expert, long experts) {

    /** Counts tensors one by one. */
    static final class Counter {
        private long total;
        private long shared;
        private long expert;
        private long expertSum;
        private long expertTensors;
        private boolean lora;
        private boolean unknown;
        private String lastLora;
        private long lastRank;

        /** @param shape PyTorch's order */
        void add(String name, long[] shape) {
            long size = Tensor.product(shape);
            if (name.endsWith(".lora_a")) {
                lora = true;
                lastLora = name;
                lastRank = shape[shape.length - 1];
                return;
            }
            if (name.endsWith(".lora_b")) {
                unknown |= lastLora == null || !lastLora.equals(name.substring(0, name.length() - 1) + "a");
                size = size / Math.max(1, shape[shape.length - 1]) * lastRank;
            }
            int expertDim = shape.length - (name.contains(".bias") ? 2 : 3);
            if (name.contains("_exps.") && shape.length >= 3 && expertDim >= 0) {
                expert += size / shape[expertDim];
                expertSum += shape[expertDim];
                expertTensors++;
            } else {
                shared += size;
            }
            total += size;
        }

        SizeLabel count() {
            return unknown ? new SizeLabel(0, 0, 0, 0)
                    : new SizeLabel(lora ? -total : total, shared, expert, expertTensors > 0 ? expertSum / expertTensors : 0);
        }
    }

    /** The label. */
    String text() {
        return experts > 0 ? experts + "x" + rounded(Math.abs(shared) + Math.abs(expert)) : rounded(Math.abs(total));
    }

    private static String rounded(long parameters) {
        double scaled;
        String suffix;
        if (parameters > 1e12) {
            scaled = parameters * 1e-12;
            suffix = "T";
        } else if (parameters > 1e9) {
            scaled = parameters * 1e-9;
            suffix = "B";
        } else if (parameters > 1e6) {
            scaled = parameters * 1e-6;
            suffix = "M";
        } else {
            scaled = parameters * 1e-3;
            suffix = "K";
        }
        // Python rounds the exact binary value, half to even, both in round() and in %f.
        var exact = new BigDecimal(scaled, MathContext.UNLIMITED);
        String whole = exact.setScale(0, RoundingMode.HALF_EVEN).toPlainString().replaceFirst("^0+", "");
        int digits = Math.max(2 - whole.length(), 0);
        return exact.setScale(digits, RoundingMode.HALF_EVEN).toPlainString() + suffix;
    }
}
