package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.DiskSpace;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Partial;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.StandIn;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.AdapterPreflight;
import ai.luciferai.llama.gguf.FileType;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.gguf.GgufFile;
import ai.luciferai.llama.gguf.GgufReader;
import ai.luciferai.llama.gguf.GgufWriter;
import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.ModelPreflight;
import ai.luciferai.llama.gguf.TensorInfo;
import ai.luciferai.llama.hf.PeftAdapter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The verb {@code export-lora}: a model with LoRA adapters merged into its weights, {@code W + scale * alpha / rank * B A}.
 *
 * <p>Any base and any adapter that llama.cpp can read: split, quantized, of different tensor sets; and folders as PEFT writes them. The output appears whole, and
 * verified, or not at all.
 */
public final class ExportLora {

    private static final String FILE_TYPE = "general.file_type";
    private static final String QUANTIZATION_VERSION = "general.quantization_version";

    /** GGML_QNT_VERSION. */
    private static final int QUANTIZATION = 2;

    /** Metadata of the output beyond the input's. */
    private static final long MORE_METADATA = 4096;

    /** What floats cannot become without an importance matrix, or at all. */
    private static final Set<GgmlType> NOT_WRITABLE = EnumSet.of(GgmlType.IQ2_XXS, GgmlType.IQ2_XS, GgmlType.IQ1_S, GgmlType.Q8_1,
            GgmlType.Q8_K, GgmlType.I8, GgmlType.I16, GgmlType.I32, GgmlType.I64, GgmlType.F64);

    private ExportLora() {}

    /**
     * Merges.
     *
     * @param progress hears of the phases "merge" and "verify" in bytes of the output
     * @throws InvalidOptionException when the output cannot be used, or a tensor cannot be written as the type that was asked for
     * @throws ai.luciferai.llama.core.InvalidFileException when a file is not sound, an adapter is none or made for another model, or what was
     *                                written is not what was computed
     * @throws UnsupportedModelException when a merged weight is no number, or the merged model differs from what it should be
     * @throws ai.luciferai.llama.core.CancelledException   when the flag was set; there is no output then
     * @throws IOException when the disk is full or fails
     */
    public static ExportLoraReport run(ExportLoraOptions options, Progress progress, Cancel cancel) throws IOException {
        if (options.adapters().stream().noneMatch(adapter -> PeftAdapter.isAt(adapter.path()))) {
            Check.require(options.baseConfig().isEmpty(), "base", "an adapter of PEFT, which it is for", options.baseConfig().orElse(null));
            return merge(options, options.adapters(), progress, cancel);
        }
        AtomicFile.requireUsable(options.output(), options.force(), List.of(options.base()));
        Path temporary = Partial.folderBeside(options.output().toAbsolutePath());
        try {
            List<AdapterSource> converted = StandIn.of(temporary, options.output(), () -> converted(options, temporary, progress, cancel));
            return merge(options.withAdapters(converted), options.adapters(), progress, cancel).of(options);
        } finally {
            Partial.delete(temporary);
        }
    }

    /** The adapters, those in PEFT's form as GGUF files in a folder. */
    private static List<AdapterSource> converted(ExportLoraOptions options, Path folder, Progress progress, Cancel cancel) throws IOException {
        var adapters = new ArrayList<AdapterSource>();
        for (AdapterSource adapter : options.adapters()) {
            Path path = adapter.path();
            if (PeftAdapter.isAt(path)) {
                path = folder.resolve(adapters.size() + ".gguf");
                ConvertOptions.Details none = ConvertOptions.Details.none();
                Convert.run(ConvertOptions.of(adapter.path()).withOutfile(path).withDetails(new ConvertOptions.Details(none.modelName(),
                        none.chatTemplate(), none.metadata(), none.preTokenizer(), options.baseConfig())), progress, cancel);
            }
            adapters.add(new AdapterSource(path, adapter.scale()));
        }
        return adapters;
    }

    /** Merges GGUF adapters; messages about them name those that were given. */
    private static ExportLoraReport merge(ExportLoraOptions options, List<AdapterSource> given, Progress progress, Cancel cancel) throws IOException {
        long start = System.nanoTime();
        cancel.check("merge into " + options.base());
        var adapters = new ArrayList<GgufFile>();
        try (GgufFile base = GgufReader.read(options.base())) {
            ModelPreflight.check(base);
            for (AdapterSource source : options.adapters()) {
                adapters.add(GgufReader.read(source.path()).as(given.get(adapters.size()).path()));
                requireUsable(adapters.getLast(), base);
            }
            List<TensorInfo> tensors = base.tensors().stream().map(t -> target(options, base, t, changed(t, adapters))).toList();
            FileType fileType = fileType(base, tensors);
            List<Path> inputs = Stream.concat(base.parts().stream().map(GgufFile.Part::path),
                    options.adapters().stream().map(AdapterSource::path)).toList();
            AtomicFile.requireUsable(options.output(), options.force(), inputs);
            DiskSpace.require(options.output(), fileBytes(base, tensors));
            try (AtomicFile out = AtomicFile.create(options.output(), options.force(), inputs)) {
                var writer = new GgufWriter(out.channel(), metadata(base, tensors, fileType), tensors);
                var merge = new LoraMerge(options, base, adapters, writer, progress, cancel);
                int merged = merge.run();
                writer.finish();
                Optional<ExportLoraReport.Verification> verification = options.verify()
                        ? Optional.of(verify(options, base, adapters, out.temporary(), progress, cancel)) : Optional.empty();
                out.commitUnsynced(cancel);
                return new ExportLoraReport(options, tensors.size(), merged, types(tensors, adapters), fileType == null ? "unknown" : fileType.label(),
                        writer.fileBytes(), verification, (System.nanoTime() - start) / 1e6);
            }
        } finally {
            adapters.forEach(GgufFile::close);
        }
    }

    /** First what stands in the file, then what it does. */
    private static ExportLoraReport.Verification verify(ExportLoraOptions options, GgufFile base, List<GgufFile> adapters, Path written,
            Progress progress, Cancel cancel) throws IOException {
        int tensors;
        MergeTolerance tolerance;
        try (GgufFile merged = GgufReader.read(written)) {
            tensors = new MergedTensors(options, base, adapters, merged, progress, cancel).check();
            tolerance = MergeTolerance.of(base, adapters, merged.tensors());
        }
        var atRunTime = new MergeVerification(options, tolerance, progress, cancel);
        return StandIn.of(written, options.output(), () -> atRunTime.run(tensors, base.path(), written));
    }

    /** llama.cpp passes over tensors of norms in an adapter; a merge that left something out would not be one. */
    private static void requireUsable(GgufFile adapter, GgufFile base) {
        AdapterPreflight.check(adapter, base);
        for (TensorInfo tensor : adapter.tensors()) {
            if (!tensor.name().endsWith(LoraMerge.A) && !tensor.name().endsWith(LoraMerge.B)) {
                throw new UnsupportedModelException(adapter.path(), "tensor '" + tensor.name() + "'",
                        "pairs of %s and %s only".formatted(LoraMerge.A, LoraMerge.B), "another tensor");
            }
        }
    }

    private static boolean changed(TensorInfo tensor, List<GgufFile> adapters) {
        return adapters.stream().anyMatch(adapter -> adapter.tensor(tensor.name() + LoraMerge.A).isPresent());
    }

    private static Map<String, Integer> types(List<TensorInfo> tensors, List<GgufFile> adapters) {
        var types = new LinkedHashMap<String, Integer>();
        tensors.stream().filter(tensor -> changed(tensor, adapters)).forEach(tensor -> types.merge(tensor.type().label(), 1, Integer::sum));
        return types;
    }

    private static TensorInfo target(ExportLoraOptions options, GgufFile base, TensorInfo tensor, boolean changed) {
        GgmlType type = tensor.type();
        if (changed) {
            type = switch (options.type()) {
                case AUTO -> tensor.type() == GgmlType.F32 ? GgmlType.F32 : GgmlType.F16;
                case SAME -> tensor.type();
                case F32 -> GgmlType.F32;
                case F16 -> GgmlType.F16;
                case BF16 -> GgmlType.BF16;
                default -> wholeBlocks(GgmlType.valueOf(options.type().name()), tensor);
            };
            if (NOT_WRITABLE.contains(type)) {
                throw new InvalidOptionException("outtype", "a type that tensor '%s' of %s can be written as".formatted(tensor.name(),
                        base.path()), type.label(), "this type needs an importance matrix: export as f16, then quantize");
            }
        }
        return new TensorInfo(tensor.name(), type, tensor.shape(), 0, 0);
    }

    private static Metadata metadata(GgufFile base, List<TensorInfo> tensors, FileType fileType) {
        Metadata.Builder metadata = base.metadata().toBuilder();
        base.metadata().keys().stream().filter(key -> key.startsWith("split.")).forEach(metadata::remove);
        if (fileType != null) {
            metadata.uint32(FILE_TYPE, fileType.id());
        }
        if (!base.metadata().has(QUANTIZATION_VERSION) && tensors.stream().anyMatch(tensor -> tensor.type().isQuantized())) {
            metadata.uint32(QUANTIZATION_VERSION, QUANTIZATION);
        }
        return metadata.build();
    }

    /** By the type of most elements of matrices; the base's, with its mixture, as long as that is the same. Null: not known. */
    private static GgmlType wholeBlocks(GgmlType type, TensorInfo tensor) {
        return tensor.ne(0) % type.blockElements() == 0 ? type : GgmlType.F16;
    }

    private static FileType fileType(GgufFile base, List<TensorInfo> tensors) {
        GgmlType most = mostly(tensors);
        if (most == mostly(base.tensors()) && base.metadata().has(FILE_TYPE)) {
            return FileType.ofId(base.metadata().integer(FILE_TYPE));
        }
        return switch (most) {
            case F32 -> FileType.ALL_F32;
            case Q3_K -> FileType.Q3_K_M;
            case Q4_K -> FileType.Q4_K_M;
            case Q5_K -> FileType.Q5_K_M;
            case MXFP4 -> FileType.MXFP4_MOE;
            default -> Stream.of(FileType.values()).filter(type -> type.name().equals(most.name())).findFirst().orElse(null);
        };
    }

    private static GgmlType mostly(List<TensorInfo> tensors) {
        var elements = new EnumMap<GgmlType, Long>(GgmlType.class);
        tensors.stream().filter(tensor -> tensor.shape().size() > 1)
                .forEach(tensor -> elements.merge(tensor.type(), tensor.elements(), Long::sum));
        return elements.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey).orElse(GgmlType.F32);
    }

    private static long fileBytes(GgufFile base, List<TensorInfo> tensors) {
        long bytes = base.parts().stream().mapToLong(GgufFile.Part::dataOffset).sum() + MORE_METADATA;
        for (TensorInfo tensor : tensors) {
            bytes = Math.addExact(bytes, Math.addExact(tensor.bytes(), base.alignment()));
        }
        return bytes;
    }
}
