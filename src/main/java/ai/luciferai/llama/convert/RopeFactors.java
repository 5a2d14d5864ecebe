package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import java.util.List;
import java.util.Locale;

/**
 * Rotary frequency factors, computed with torch's own roundings: all in float, and a number divided by a tensor is its reciprocal times
 * the number.
 *
 * <p><i>Source</i>: llama.cpp, conversion/llama.py, phi.py {@code generate_extra_tensors}.
 */
final class RopeFactors {

    private static final int MOST_DIMENSIONS = 1 << 16;

    private RopeFactors() {}

    /** Llama 3's factors: one for high frequencies, {@code factor} for low ones, a smooth change between. */
    static Tensor llama3(JsonObject parameters, long dim) {
        double base = or(parameters, "rope_theta", 10000.0);
        float factor = (float) or(parameters, "factor", 8.0);
        double low = or(parameters, "low_freq_factor", 1.0);
        double high = or(parameters, "high_freq_factor", 4.0);
        double context = or(parameters, "original_max_position_embeddings", 8192);
        if (dim < 1 || dim > MOST_DIMENSIONS) {
            throw new InvalidFileException(parameters.file(), "key 'head_dim', or 'hidden_size' / 'num_attention_heads'", "a number from 1 to " + MOST_DIMENSIONS,
                    String.valueOf(dim));
        }
        float[] factors = new float[(int) ((dim + 1) / 2)];
        for (int i = 0; i < factors.length; i++) {
            float power = (float) Math.pow(base, (float) (2 * i) / (float) dim);
            float frequency = 1f / power;
            float wavelength = 1f / frequency * (float) (2 * Math.PI);
            if (wavelength < (float) (context / high)) {
                factors[i] = 1;
            } else if (wavelength > (float) (context / low)) {
                factors[i] = factor;
            } else {
                float smooth = (1f / wavelength * (float) context - (float) low) / (float) (high - low);
                factors[i] = 1f / ((1f - smooth) / factor + smooth);
            }
        }
        return Tensor.of(factors, factors.length);
    }

    /** Whether there are factors for long texts. */
    static boolean isLong(JsonObject parameters) {
        return parameters.get("long_factor") instanceof List<?> factors && !factors.isEmpty();
    }

    /** Gives out the factors for long and for short texts, where there are any; {@code rotary} is the number of rotated dimensions. */
    static void longAndShort(JsonObject parameters, long rotary, TensorNames names, Architecture.Sink sink) {
        if (!isLong(parameters)) {
            return;
        }
        for (String kind : List.of("long", "short")) {
            List<Object> factors = parameters.list(kind + "_factor");
            if (factors == null || factors.size() * 2L != rotary) {
                throw new InvalidFileException(parameters.file(), "rope_scaling." + kind + "_factor", rotary / 2 + " numbers",
                        factors == null ? "none" : factors.size() + " of them");
            }
            sink.add(names.of("ROPE_FACTORS_" + kind.toUpperCase(Locale.ROOT), -1), tensor(parameters, factors));
        }
    }

    private static Tensor tensor(JsonObject parameters, List<Object> list) {
        float[] numbers = new float[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!(list.get(i) instanceof Number number)) {
                throw new InvalidFileException(parameters.file(), "rope_scaling", "factors that are numbers", String.valueOf(list.get(i)));
            }
            numbers[i] = number.floatValue();
        }
        return Tensor.of(numbers, numbers.length);
    }

    private static double or(JsonObject parameters, String key, double otherwise) {
        return parameters.values().containsKey(key) ? parameters.requireNumber(key) : otherwise;
    }
}
