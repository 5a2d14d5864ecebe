package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a model can be quantized to, under llama.cpp's names: a mixture of number formats, chosen tensor by tensor.
 *
 * <p>Bits per weight are those of Llama 3.1 8B. <i>Source</i>: llama.cpp v0.5.0, {@code tools/quantize/README.md}; where that has
 * none, the size in the usage text of llama-quantize over 8.03 billion weights, or the block size of the format.
 */
public enum QuantType {
    F32(0, 32, false, "32-bit floats, as trained"),
    F16(1, 16.0005, false, "16-bit floats"),
    BF16(32, 16.0005, false, "16-bit floats with the range of 32 bits"),
    Q8_0(7, 8.5008, false, "almost without loss"),
    Q6_K(18, 6.5633, false, "hardly any loss"),
    Q5_K_M(17, 5.7036, false, "very small loss"),
    Q5_K_S(16, 5.5704, false, "very small loss"),
    Q5_1(9, 6.04, false, "older format; Q5_K_M is smaller and better"),
    Q5_0(8, 5.57, false, "older format; Q5_K_S is better"),
    Q4_K_M(15, 4.8944, false, "small loss: the usual choice"),
    Q4_K_S(14, 4.6672, false, "small loss"),
    Q4_1(3, 5.11, false, "older format; Q4_K_M is smaller and better"),
    Q4_0(2, 4.64, false, "older format, fast on some CPUs"),
    IQ4_NL(25, 4.6818, false, "small loss"),
    IQ4_XS(30, 4.4597, false, "small loss, smaller than Q4_K_S"),
    MXFP4_MOE(38, 4.25, false, "4-bit floats for the experts of a mixture of experts, Q8_0 for the rest"),
    Q3_K_L(13, 4.2979, false, "noticeable loss"),
    Q3_K_M(12, 3.9960, false, "noticeable loss"),
    Q3_K_S(11, 3.6429, false, "high loss"),
    IQ3_M(27, 3.7628, false, "noticeable loss"),
    IQ3_S(26, 3.6606, false, "noticeable loss"),
    IQ3_XS(22, 3.4977, true, "high loss"),
    IQ3_XXS(23, 3.2548, true, "high loss"),
    Q2_K(10, 3.1593, false, "very high loss"),
    Q2_K_S(21, 2.9697, true, "very high loss"),
    IQ2_M(29, 2.9294, true, "very high loss"),
    IQ2_S(28, 2.7403, true, "very high loss"),
    IQ2_XS(20, 2.5882, true, "very high loss"),
    IQ2_XXS(19, 2.3824, true, "very high loss"),
    Q2_0(41, 2.25, false, "for models trained with weights of 2 bits"),
    IQ1_M(31, 2.1460, true, "extreme loss"),
    TQ2_0(37, 2.0625, false, "for models trained with ternary weights"),
    IQ1_S(24, 2.0042, true, "extreme loss"),
    TQ1_0(36, 1.6875, false, "for models trained with ternary weights, smallest"),
    Q1_0(40, 1.125, false, "for models trained with weights of 1 bit"),
    /** Nothing is quantized: for changing metadata, pruning layers, or joining a split model. */
    COPY(-1, Double.NaN, false, "tensors stay as they are");

    private final int code;
    private final double bitsPerWeight;
    private final boolean needsImportance;
    private final String description;

    QuantType(int code, double bitsPerWeight, boolean needsImportance, String description) {
        this.code = code;
        this.bitsPerWeight = bitsPerWeight;
        this.needsImportance = needsImportance;
        this.description = description;
    }

    /** Value of {@code enum llama_ftype}; -1 for {@link #COPY}. */
    int code() {
        return code;
    }

    /** Of Llama 3.1 8B; NaN for {@link #COPY}. {@link Quantize#plan} tells that of a given model. */
    public double bitsPerWeight() {
        return bitsPerWeight;
    }

    /** Whether llama.cpp refuses it without an importance matrix. */
    public boolean needsImportance() {
        return needsImportance;
    }

    /** What to expect, in a few words. */
    public String description() {
        return description;
    }

    /** The name as file names have it: {@code q4_k_m}. */
    public String suffix() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads a name in any case; {@code Q3_K}, {@code Q4_K} and {@code Q5_K} mean their {@code _M}, as with llama-quantize, and its
     * numbers are understood too.
     */
    public static QuantType parse(String text) {
        return find(text).orElseThrow(() -> new InvalidOptionException("type", "one of " + names(), text));
    }

    /** {@link #parse}, or empty when there is no such type. */
    public static Optional<QuantType> find(String text) {
        String name = text.toUpperCase(Locale.ROOT);
        return Arrays.stream(values()).filter(type -> type.name().equals(name) || type.name().equals(name + "_M") && name.matches("Q[345]_K")
                || type != COPY && Integer.toString(type.code).equals(name)).findFirst();
    }

    /** All names, for messages. */
    public static String names() {
        return Arrays.stream(values()).map(Enum::name).collect(Collectors.joining(", "));
    }
}
