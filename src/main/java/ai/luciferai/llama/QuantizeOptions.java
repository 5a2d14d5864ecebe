package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.gguf.GgmlType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What is quantized to what, and how.
 *
 * @param input           the model, or the first part of a split one
 * @param output          where the result goes; with {@code keepSplit} what the parts' names begin with
 * @param type            the mixture of number formats
 * @param tensorTypes     exceptions from the mixture
 * @param importance      which weights matter most
 * @param edits           changes beside quantization
 * @param allowRequantize whether tensors that are quantized already may be quantized again, which loses quality
 * @param keepSplit       whether a split model stays split
 * @param force           whether an existing output is replaced
 * @param limits          threads and memory
 */
public record QuantizeOptions(Path input, Path output, QuantType type, TensorTypes tensorTypes, Importance importance, Edits edits,
        boolean allowRequantize, boolean keepSplit, boolean force, Limits limits) {

    /**
     * Exceptions from the mixture of a type.
     *
     * @param output      type of output.weight; empty: as the mixture says
     * @param embedding   type of token_embd.weight; empty: as the mixture says
     * @param rules       for other tensors; the first that fits counts
     * @param pure        whether every tensor becomes the same type: no mixture
     * @param leaveOutput whether output.weight is not quantized
     */
    public record TensorTypes(Optional<GgmlType> output, Optional<GgmlType> embedding, List<TensorRule> rules, boolean pure,
            boolean leaveOutput) {

        public TensorTypes {
            rules = List.copyOf(rules);
            Check.require(!leaveOutput || output.isEmpty(), "output-tensor-type", "none with leave-output-tensor", output);
        }

        /** No exceptions. */
        public static TensorTypes none() {
            return new TensorTypes(Optional.empty(), Optional.empty(), List.of(), false, false);
        }

        /** With types by name, in any case; null: as the mixture says. */
        public static TensorTypes of(String output, String embedding, List<TensorRule> rules, boolean pure, boolean leaveOutput) {
            return new TensorTypes(Optional.ofNullable(output).map(name -> tensorType("output-tensor-type", name)),
                    Optional.ofNullable(embedding).map(name -> tensorType("token-embedding-type", name)), rules, pure, leaveOutput);
        }
    }

    /**
     * The type of tensors with certain names.
     *
     * @param pattern regular expression in C++'s dialect, found anywhere in the name; llama.cpp compares in lower case
     */
    public record TensorRule(String pattern, GgmlType type) {

        public TensorRule {
            pattern = Check.notEmpty("tensor-type", pattern).toLowerCase(Locale.ROOT);
            Check.present("tensor-type", type);
        }

        /** Reads {@code PATTERN=TYPE}. */
        public static TensorRule parse(String text) {
            int equals = text.indexOf('=');
            Check.require(equals > 0 && equals < text.length() - 1, "tensor-type", "PATTERN=TYPE, such as attn_v=q6_k", text);
            return new TensorRule(text.substring(0, equals), tensorType("tensor-type", text.substring(equals + 1)));
        }
    }

    /**
     * The importance matrix.
     *
     * @param file    GGUF or the older format; empty: none
     * @param include use it only for tensors whose name contains one of these; empty: for all
     * @param exclude or for all but these
     */
    public record Importance(Optional<Path> file, List<String> include, List<String> exclude) {

        public Importance {
            include = List.copyOf(include);
            exclude = List.copyOf(exclude);
            Check.require(include.isEmpty() || exclude.isEmpty(), "exclude-weights", "none together with include-weights", exclude);
            Check.require(file.isPresent() || include.isEmpty() && exclude.isEmpty(), "include-weights", "none without imatrix",
                    include.isEmpty() ? exclude : include);
        }

        public static Importance none() {
            return new Importance(Optional.empty(), List.of(), List.of());
        }

        public static Importance of(Path file) {
            return new Importance(Optional.of(file), List.of(), List.of());
        }
    }

    /**
     * Changes beside quantization.
     *
     * @param pruneLayers numbers of the layers to leave out
     * @param kvOverrides metadata to write instead of the input's
     */
    public record Edits(List<Integer> pruneLayers, List<KvOverride> kvOverrides) {

        public Edits {
            pruneLayers = List.copyOf(pruneLayers);
            kvOverrides = List.copyOf(kvOverrides);
            pruneLayers.forEach(layer -> Check.atLeast("prune-layers", layer, 0));
        }

        public static Edits none() {
            return new Edits(List.of(), List.of());
        }
    }

    /**
     * What the work may use.
     *
     * @param threads     0: all processors
     * @param bufferBytes of tensor rows in memory at once; 0: llama.cpp's default
     */
    public record Limits(int threads, long bufferBytes) {

        private static final int MOST_THREADS = 4096;

        public Limits {
            Check.require(threads >= 0 && threads <= MOST_THREADS, "threads", "0 to " + MOST_THREADS, threads);
            Check.atLeast("max-buffer-size", bufferBytes, 0);
        }

        public static Limits defaults() {
            return new Limits(0, 0);
        }
    }

    public QuantizeOptions {
        Check.present("input", input);
        Check.present("output", output);
        Check.present("type", type);
        Check.present("tensor-type", tensorTypes);
        Check.present("imatrix", importance);
        Check.present("prune-layers", edits);
        Check.present("threads", limits);
    }

    /** As llama-quantize does it without options. */
    public static QuantizeOptions of(Path input, Path output, QuantType type) {
        return new QuantizeOptions(input, output, type, TensorTypes.none(), Importance.none(), Edits.none(), false, false, false,
                Limits.defaults());
    }

    public QuantizeOptions withOutput(Path v) {
        return new QuantizeOptions(input, v, type, tensorTypes, importance, edits, allowRequantize, keepSplit, force, limits);
    }

    public QuantizeOptions withType(QuantType v) {
        return new QuantizeOptions(input, output, v, tensorTypes, importance, edits, allowRequantize, keepSplit, force, limits);
    }

    public QuantizeOptions withTensorTypes(TensorTypes v) {
        return new QuantizeOptions(input, output, type, v, importance, edits, allowRequantize, keepSplit, force, limits);
    }

    public QuantizeOptions withImportance(Importance v) {
        return new QuantizeOptions(input, output, type, tensorTypes, v, edits, allowRequantize, keepSplit, force, limits);
    }

    public QuantizeOptions withEdits(Edits v) {
        return new QuantizeOptions(input, output, type, tensorTypes, importance, v, allowRequantize, keepSplit, force, limits);
    }

    public QuantizeOptions withAllowRequantize(boolean v) {
        return new QuantizeOptions(input, output, type, tensorTypes, importance, edits, v, keepSplit, force, limits);
    }

    public QuantizeOptions withKeepSplit(boolean v) {
        return new QuantizeOptions(input, output, type, tensorTypes, importance, edits, allowRequantize, v, force, limits);
    }

    public QuantizeOptions withForce(boolean v) {
        return new QuantizeOptions(input, output, type, tensorTypes, importance, edits, allowRequantize, keepSplit, v, limits);
    }

    public QuantizeOptions withLimits(Limits v) {
        return new QuantizeOptions(input, output, type, tensorTypes, importance, edits, allowRequantize, keepSplit, force, v);
    }

    /** Reads the name of a tensor's type in any case: {@code q6_K}. */
    private static GgmlType tensorType(String option, String text) {
        return Arrays.stream(GgmlType.values()).filter(type -> type.label().equalsIgnoreCase(text)).findFirst()
                .orElseThrow(() -> new InvalidOptionException(option, "a type such as q4_K, q6_K, q8_0, f16", text));
    }
}
