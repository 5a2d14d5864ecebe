package ai.luciferai.llama;

import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.TensorInfo;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * How far the log-probabilities of a merged model may be from those of its base with its adapters at run time, since both round.
 *
 * <p>What is rounded: the merged weights, to their type, and the activations, which ggml rounds to suit the type of each weight that they
 * are multiplied with (halves for F16, bytes for quantized ones), also where no adapter is. Such errors are independent of each other, so
 * that over the layers their squares add up: {@code FACTOR * sqrt(layers) * rounding}, with the coarsest rounding of all.
 *
 * <p>The factor is measured with the embedded model, which is smaller and so more easily moved than any other, and adapters of several
 * strengths: differences came to between a twentieth and a half of this. They grow with what the adapter itself changes; hence the tolerance
 * does, too, but never to all of that, so that a merge without the adapter is always found.
 */
final class MergeTolerance {

    private static final double FACTOR = 100;

    /** An adapter that changes no log-probability by more than this is an ordinary one. */
    private static final double ORDINARY = 4;

    private static final double MOST_OF_CHANGE = 0.9;

    private final double rounding;
    private final double layers;

    private MergeTolerance(double rounding, double layers) {
        this.rounding = rounding;
        this.layers = layers;
    }

    static MergeTolerance of(GgufFile base, List<GgufFile> adapters, List<TensorInfo> merged) {
        double activations = Stream.of(base.tensors().stream(), merged.stream(), adapters.stream().flatMap(file -> file.tensors().stream()))
                .flatMap(tensors -> tensors).filter(tensor -> tensor.shape().size() > 1).mapToDouble(tensor -> activations(tensor.type())).max().orElse(0);
        double weights = merged.stream().filter(tensor -> adapters.stream().anyMatch(file -> file.tensor(tensor.name() + LoraMerge.A)
                .isPresent())).mapToDouble(tensor -> weights(tensor.type())).max().orElse(0);
        String architecture = base.metadata().string("general.architecture", "");
        return new MergeTolerance(Math.max(activations, weights), Math.max(1, base.metadata().integer(architecture + ".block_count", 1)));
    }

    /** Empty: nothing is known, and the difference is only reported. */
    OptionalDouble of(double change) {
        double ordinary = FACTOR * Math.sqrt(layers) * rounding;
        double tolerance = Math.max(ordinary, Math.min(ordinary * change / ORDINARY, MOST_OF_CHANGE * change));
        return Double.isFinite(rounding) ? OptionalDouble.of(tolerance) : OptionalDouble.empty();
    }

    /** Half a unit in the last place. Floats are not rounded, but sums of a thousand in another order: the square root of that in roundings. */
    private static double activations(GgmlType type) {
        return switch (type) {
            case F32 -> 32 * 0x1p-24;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-9;
            default -> 1 / 127d;
        };
    }

    /** Half a unit in the last place, of the block's largest number where there are blocks. */
    private static double weights(GgmlType type) {
        return switch (type) {
            case F32 -> 0x1p-24;
            case F16 -> 0x1p-11;
            case BF16 -> 0x1p-9;
            case Q8_0 -> 1 / 254d;
            case Q6_K -> 1 / 126d;
            case Q5_0, Q5_1, Q5_K -> 1 / 62d;
            case Q4_0, Q4_1, Q4_K -> 1 / 30d;
            default -> Double.POSITIVE_INFINITY;
        };
    }
}
