package ai.luciferai.llama;

import ai.luciferai.llama.QuantizeResult.State;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.KvOverrides;
import ai.luciferai.llama.ffi.QuantizeParams;
import ai.luciferai.llama.ffi.Quantizer;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.ImportanceMatrix;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.ModelPreflight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The verb {@code quantize}: smaller weights for a model, by llama.cpp's own quantization.
 *
 * <p>Everything that can be known beforehand is checked before the work starts: input, output, disk space, types that need an
 * importance matrix. The output appears whole or not at all.
 */
public final class Quantize {

    /** Metadata of the output beyond the input's. */
    private static final long MORE_METADATA = 4096;

    /** What {@link #choose} considers, best first: a type is left out when a smaller one is as good. */
    private static final List<QuantType> LADDER = List.of(QuantType.Q8_0, QuantType.Q6_K, QuantType.Q5_K_M, QuantType.Q5_K_S,
            QuantType.Q4_K_M, QuantType.Q4_K_S, QuantType.IQ4_XS, QuantType.Q3_K_L, QuantType.Q3_K_M, QuantType.IQ3_M, QuantType.IQ3_S,
            QuantType.Q3_K_S, QuantType.IQ3_XS, QuantType.IQ3_XXS, QuantType.Q2_K, QuantType.IQ2_M, QuantType.IQ2_S, QuantType.IQ2_XS,
            QuantType.IQ2_XXS, QuantType.IQ1_M, QuantType.IQ1_S);

    private Quantize() {}

    /**
     * What {@link #run} would do; writes nothing.
     *
     * @throws ai.luciferai.llama.core.BridgeException as {@link #run}, but for what concerns the output
     */
    public static QuantizePlan plan(QuantizeOptions options) throws IOException {
        return plan(options, inputs(options));
    }

    /**
     * Quantizes.
     *
     * @param progress hears of the phase "quantize" in bytes of the input
     * @throws InvalidOptionException when the output cannot be used, an importance matrix is missing, or the input is quantized already
     *                                and {@code allowRequantize} is off
     * @throws ai.luciferai.llama.core.InvalidFileException when input or importance matrix are not sound
     * @throws ai.luciferai.llama.core.CancelledException   when the flag was set; there is no output then
     * @throws IOException when the disk is full or fails
     */
    public static QuantizeReport run(QuantizeOptions options, Progress progress, Cancel cancel) throws IOException {
        long start = System.nanoTime();
        cancel.check("quantize of " + options.input());
        Inputs inputs = inputs(options);
        QuantizePlan plan = plan(options, inputs);
        requirePossible(plan);
        DiskSpace.require(options.output(), plan.fileBytes());
        try (QuantizeOutput output = QuantizeOutput.open(options, inputs.parts())) {
            QuantizeParams params = params(options);
            params.output = output.temporary();
            Quantizer.run(params, progress, cancel);
            List<Path> written = output.commit(cancel);
            return new QuantizeReport(plan, written, bytes(written), (System.nanoTime() - start) / 1e6);
        }
    }

    private static void requirePossible(QuantizePlan plan) {
        QuantizeOptions options = plan.options();
        if (plan.importanceMissing()) {
            throw new InvalidOptionException("imatrix", "an importance matrix: " + plan.needsImportance() + ", which needs one",
                    options.importance().file().<Object>map(file -> file + ", which has no entry for it").orElse("none"),
                    "make one, or choose a type that needs none");
        }
        if (plan.requantized() > 0 && !options.allowRequantize()) {
            QuantizePlan.TensorPlan first = plan.tensors().stream()
                    .filter(tensor -> tensor.before().isQuantized() && tensor.before() != tensor.after()).findFirst().orElseThrow();
            throw new InvalidOptionException("allow-requantize", "it for " + options.input() + ", where " + plan.requantized()
                    + " tensors are quantized already, such as " + first.name() + " (" + first.before().label() + ")", "off",
                    "quantizing twice loses quality: start from the F16 or BF16 model where there is one");
        }
    }

    /**
     * Quantizes one after the other, and goes on when one fails. An output that exists is left alone, unless {@code force}.
     *
     * @throws ai.luciferai.llama.core.CancelledException when the flag was set: what was done before stays
     */
    public static List<QuantizeResult> runAll(List<QuantizeOptions> batch, Progress progress, Cancel cancel) {
        var results = new ArrayList<QuantizeResult>();
        for (QuantizeOptions options : batch) {
            results.add(runOne(options, progress, cancel));
        }
        return results;
    }

    private static QuantizeResult runOne(QuantizeOptions options, Progress progress, Cancel cancel) {
        try {
            if (!options.force() && QuantizeOutput.exists(options, inputs(options).parts())) {
                return new QuantizeResult(options, State.SKIPPED, Optional.empty(), Optional.empty());
            }
            return new QuantizeResult(options, State.DONE, Optional.of(run(options, progress, cancel)), Optional.empty());
        } catch (CancelledException e) {
            throw e;
        } catch (BridgeException | IOException e) {
            return new QuantizeResult(options, State.FAILED, Optional.empty(), Optional.of(e));
        }
    }

    /**
     * The best type that fits a budget, by the sizes that each would really have; {@code type} and {@code output} of the options do
     * not matter. Types that need an importance matrix are considered when there is one.
     *
     * @throws InvalidOptionException when even the smallest does not fit
     */
    public static QuantizeChoice choose(QuantizeOptions options, QuantizeBudget budget) throws IOException {
        Inputs inputs = inputs(options);
        var considered = new ArrayList<QuantizeChoice.Candidate>();
        for (QuantType type : LADDER) {
            QuantizePlan plan = plan(options.withType(type), inputs);
            boolean fits = plan.fileBytes() <= budget.fileBytes();
            String verdict = plan.importanceMissing() ? "needs an importance matrix" : fits ? "chosen" : "too large";
            considered.add(new QuantizeChoice.Candidate(type, plan.fileBytes(), verdict));
            if (fits && !plan.importanceMissing()) {
                return new QuantizeChoice(plan, budget, considered);
            }
        }
        QuantizeChoice.Candidate smallest = considered.stream().filter(candidate -> candidate.verdict().equals("too large"))
                .min(Comparator.comparingLong(QuantizeChoice.Candidate::fileBytes)).orElseThrow();
        throw new InvalidOptionException(budget.option(), "room for at least %s, which needs a file of %s"
                .formatted(smallest.type(), DiskSpace.text(smallest.fileBytes())), budget.text(),
                "a smaller model is better than a smaller type");
    }

    /** The output's name when none is given: {@code model.gguf} or {@code model-f16.gguf} becomes {@code model-q4_k_m.gguf}. */
    public static Path defaultOutput(Path input, QuantType type) {
        String stem = input.getFileName().toString().replaceFirst("(?i)\\.gguf$", "").replaceFirst("-00001-of-\\d{5}$", "");
        int dash = stem.lastIndexOf('-');
        if (dash > 0 && isTypeName(stem.substring(dash + 1))) {
            stem = stem.substring(0, dash);
        }
        return input.resolveSibling(stem + "-" + type.suffix() + ".gguf");
    }

    private static boolean isTypeName(String text) {
        return Stream.of(QuantType.values()).anyMatch(type -> type.name().equalsIgnoreCase(text));
    }

    /**
     * The input as its header tells.
     *
     * @param parts         its files
     * @param metadataBytes of all parts: what is not tensor data
     */
    private record Inputs(List<Path> parts, long metadataBytes) {}

    private static Inputs inputs(QuantizeOptions options) throws IOException {
        if (options.importance().file().isPresent()) {
            MappedFile.requireReadable(options.importance().file().get());
            ImportanceMatrix.requireOne(options.importance().file().get());
        }
        try (GgufFile file = GgufReader.read(options.input())) {
            ModelPreflight.check(file);
            requireLayers(options, file.metadata());
            return new Inputs(file.parts().stream().map(GgufFile.Part::path).toList(),
                    file.parts().stream().mapToLong(GgufFile.Part::dataOffset).sum());
        }
    }

    /** llama.cpp passes over a layer that is not there, and leaves out all of them. */
    private static void requireLayers(QuantizeOptions options, Metadata metadata) {
        List<Integer> pruned = options.edits().pruneLayers();
        long layers = metadata.integer(metadata.string(Metadata.ARCHITECTURE, "") + ".block_count", 0);
        for (int layer : pruned) {
            Check.require(layer < layers, "prune-layers", "numbers of layers, 0 to " + (layers - 1), layer);
        }
        Check.require(pruned.isEmpty() || Set.copyOf(pruned).size() < layers, "prune-layers", "layers of which some are left", "all of them");
    }

    private static QuantizePlan plan(QuantizeOptions options, Inputs inputs) throws IOException {
        QuantizeParams params = params(options);
        params.dryRun = true;
        params.allowRequantize = true; // the plan tells how many tensors this concerns; run() refuses
        Quantizer.Outcome outcome = Quantizer.run(params, Progress.NONE, Cancel.NONE);
        List<QuantizePlan.TensorPlan> tensors = outcome.tensors().stream().map(Quantize::tensor).toList();
        return new QuantizePlan(options, tensors, outcome.nElements(), outcome.bytesBefore(), outcome.bytesAfter(),
                fileBytes(tensors, inputs), outcome.nRequantized(), outcome.nWithoutImatrix(), outcome.needsImatrix());
    }

    private static QuantizePlan.TensorPlan tensor(Quantizer.PlannedTensor tensor) {
        return new QuantizePlan.TensorPlan(tensor.name(), tensor.ne(), GgmlType.ofId(tensor.typeBefore()),
                GgmlType.ofId(tensor.typeAfter()), tensor.bytesBefore(), tensor.bytesAfter(), tensor.fallback());
    }

    private static long fileBytes(List<QuantizePlan.TensorPlan> tensors, Inputs inputs) {
        long bytes = inputs.metadataBytes() + MORE_METADATA;
        for (QuantizePlan.TensorPlan tensor : tensors) {
            bytes = Math.addExact(bytes, Math.addExact(tensor.bytesAfter(), 31) / 32 * 32);
        }
        return bytes;
    }

    private static QuantizeParams params(QuantizeOptions options) {
        QuantizeParams params = QuantizeParams.defaults();
        params.input = options.input();
        params.onlyCopy = options.type() == QuantType.COPY;
        params.ftype = params.onlyCopy ? params.ftype : options.type().code();
        params.allowRequantize = options.allowRequantize();
        params.keepSplit = options.keepSplit();
        params.nThreads = options.limits().threads();
        params.maxBufferBytes = options.limits().bufferBytes();
        params.imatrix = options.importance().file().orElse(null);
        params.includeWeights = options.importance().include();
        params.excludeWeights = options.importance().exclude();
        params.pruneLayers = options.edits().pruneLayers().stream().mapToInt(Integer::intValue).toArray();
        params.kvOverrides = options.edits().kvOverrides().stream().map(kv -> new KvOverrides.Entry(kv.key(), kv.value())).toList();
        types(options.tensorTypes(), params);
        return params;
    }

    private static void types(QuantizeOptions.TensorTypes types, QuantizeParams params) {
        params.pure = types.pure();
        params.quantizeOutputTensor = !types.leaveOutput();
        params.outputTensorType = types.output().map(GgmlType::id).orElse(QuantizeParams.AS_FTYPE);
        params.tokenEmbeddingType = types.embedding().map(GgmlType::id).orElse(QuantizeParams.AS_FTYPE);
        params.tensorTypes = types.rules().stream()
                .map(rule -> new QuantizeParams.TensorType(rule.pattern(), rule.type().id())).toList();
    }

    private static long bytes(List<Path> files) throws IOException {
        long bytes = 0;
        for (Path file : files) {
            bytes += Files.size(file);
        }
        return bytes;
    }
}
