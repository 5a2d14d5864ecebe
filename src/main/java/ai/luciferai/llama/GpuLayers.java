package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;

/**
 * How many of the model's layers go to the GPU, counted from the last; the output layer counts as one. A number above what the model has
 * is all of them: {@code -ngl 99} is what people write who use llama.cpp.
 *
 * @param count a number of layers, or one of the two marks behind {@link #ALL} and {@link #AUTO}
 */
public record GpuLayers(int count) {

    private static final int ALL_MARK = -1;
    private static final int AUTO_MARK = -2;

    /** As many as fit into the devices' free memory together with the context; none on a machine without a GPU. */
    public static final GpuLayers AUTO = new GpuLayers(AUTO_MARK);

    /** Every layer. */
    public static final GpuLayers ALL = new GpuLayers(ALL_MARK);

    /** CPU only. */
    public static final GpuLayers NONE = new GpuLayers(0);

    public GpuLayers {
        Check.require(count >= AUTO_MARK, "gpu-layers", "auto, all or a number from 0", count);
    }

    public static GpuLayers of(int count) {
        return new GpuLayers(Check.atLeast("gpu-layers", count, 0));
    }

    /** Reads {@code auto}, {@code all} or a number, of which -1 is auto and -2 all, as for llama.cpp's tools. */
    public static GpuLayers parse(String text) {
        return switch (text.strip().toLowerCase(java.util.Locale.ROOT)) {
            case "auto" -> AUTO;
            case "all" -> ALL;
            case "-1" -> AUTO;
            case "-2" -> ALL;
            default -> of(number(text));
        };
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new InvalidOptionException("gpu-layers", "auto, all or a number from 0", text);
        }
    }

    @Override
    public String toString() {
        return count == AUTO_MARK ? "auto" : count == ALL_MARK ? "all" : Integer.toString(count);
    }
}
