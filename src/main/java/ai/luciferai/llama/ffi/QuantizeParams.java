package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.bindings.lucifer_quantize_params;
import ai.luciferai.llama.bindings.lucifer_tensor_type;
import ai.luciferai.llama.core.Cancel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** Mirror of the C struct {@code lucifer_quantize_params}: what is quantized, and how. Filled with llama.cpp's defaults. */
public final class QuantizeParams {

    /** {@link #outputTensorType}, {@link #tokenEmbeddingType}: as {@link #ftype} says. */
    public static final int AS_FTYPE = -1;

    /** The file, or the first part of a split model. */
    public Path input;
    /** With {@link #keepSplit} what the parts' names begin with; not needed with {@link #dryRun}. */
    public Path output;
    /** Importance matrix, GGUF or the older format; null: none. */
    public Path imatrix;
    /** The name of it that the output records; null: its path. */
    public String imatrixName;
    /** Use the importance matrix only for tensors whose name contains one of these; */
    public List<String> includeWeights = List.of();
    /** or for all but these; not both. */
    public List<String> excludeWeights = List.of();
    public List<TensorType> tensorTypes = List.of();
    public List<KvOverrides.Entry> kvOverrides = List.of();
    public int[] pruneLayers = {};
    /** Of tensor rows in memory at once; 0: upstream's default. */
    public long maxBufferBytes;
    /** {@code enum llama_ftype}. */
    public int ftype;
    /** 0: all. */
    public int nThreads;
    /** {@code enum ggml_type}, or {@link #AS_FTYPE}. */
    public int outputTensorType;
    /** {@code enum ggml_type}, or {@link #AS_FTYPE}. */
    public int tokenEmbeddingType;
    /** Copies tensors as they are; {@link #ftype} is ignored. */
    public boolean onlyCopy;
    /** One type for all tensors, no mixture. */
    public boolean pure;
    public boolean allowRequantize;
    public boolean quantizeOutputTensor;
    public boolean keepSplit;
    /** Only makes the plan. */
    public boolean dryRun;

    /**
     * The first entry that fits a tensor counts.
     *
     * @param pattern regular expression, found anywhere in the tensor's name
     * @param type    {@code enum ggml_type}
     */
    public record TensorType(String pattern, int type) {}

    private QuantizeParams(MemorySegment struct) {
        maxBufferBytes = lucifer_quantize_params.max_buffer_bytes(struct);
        ftype = lucifer_quantize_params.ftype(struct);
        nThreads = lucifer_quantize_params.n_threads(struct);
        outputTensorType = lucifer_quantize_params.output_tensor_type(struct);
        tokenEmbeddingType = lucifer_quantize_params.token_embedding_type(struct);
        onlyCopy = lucifer_quantize_params.only_copy(struct) != 0;
        pure = lucifer_quantize_params.pure(struct) != 0;
        allowRequantize = lucifer_quantize_params.allow_requantize(struct) != 0;
        quantizeOutputTensor = lucifer_quantize_params.quantize_output_tensor(struct) != 0;
        keepSplit = lucifer_quantize_params.keep_split(struct) != 0;
        dryRun = lucifer_quantize_params.dry_run(struct) != 0;
    }

    /** llama.cpp's defaults. */
    public static QuantizeParams defaults() {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_quantize_params.allocate(arena);
            lucifer_quantize_params.struct_size(struct, lucifer_quantize_params.sizeof());
            Status.check(lucifer_llama_h.lucifer_quantize_params_init(struct), "lucifer_quantize_params_init");
            return new QuantizeParams(struct);
        }
    }

    /** The struct as C reads it, valid as long as the allocator's memory; the caller keeps the flag reachable. */
    MemorySegment toNative(SegmentAllocator arena, MemorySegment progress, Cancel cancel) {
        MemorySegment struct = lucifer_quantize_params.allocate(arena);
        lucifer_quantize_params.struct_size(struct, lucifer_quantize_params.sizeof());
        writeFiles(struct, arena);
        writeLists(struct, arena);
        writeNumbers(struct);
        lucifer_quantize_params.progress(struct, progress);
        lucifer_quantize_params.cancel(struct, cancel.segment());
        return struct;
    }

    private void writeFiles(MemorySegment struct, SegmentAllocator arena) {
        lucifer_quantize_params.input(struct, NativeText.in(arena, "input", text(input)));
        lucifer_quantize_params.output(struct, NativeText.in(arena, "output", text(output)));
        lucifer_quantize_params.imatrix(struct, NativeText.in(arena, "imatrix", text(imatrix)));
        lucifer_quantize_params.imatrix_name(struct, NativeText.in(arena, "imatrix", imatrixName));
    }

    private static String text(Path path) {
        return path == null ? null : path.toString();
    }

    private void writeLists(MemorySegment struct, SegmentAllocator arena) {
        lucifer_quantize_params.include_weights(struct, NativeText.in(arena, "includeWeights", includeWeights));
        lucifer_quantize_params.n_include_weights(struct, includeWeights.size());
        lucifer_quantize_params.exclude_weights(struct, NativeText.in(arena, "excludeWeights", excludeWeights));
        lucifer_quantize_params.n_exclude_weights(struct, excludeWeights.size());
        lucifer_quantize_params.tensor_types(struct, types(arena));
        lucifer_quantize_params.n_tensor_types(struct, tensorTypes.size());
        lucifer_quantize_params.kv_overrides(struct, KvOverrides.toNative(kvOverrides, arena));
        lucifer_quantize_params.n_kv_overrides(struct, kvOverrides.size());
        lucifer_quantize_params.prune_layers(struct, arena.allocateFrom(ValueLayout.JAVA_INT, pruneLayers));
        lucifer_quantize_params.n_prune_layers(struct, pruneLayers.length);
    }

    private MemorySegment types(SegmentAllocator arena) {
        MemorySegment array = lucifer_tensor_type.allocateArray(tensorTypes.size(), arena);
        for (int i = 0; i < tensorTypes.size(); i++) {
            MemorySegment entry = lucifer_tensor_type.asSlice(array, i);
            lucifer_tensor_type.pattern(entry, NativeText.in(arena, "tensorType", tensorTypes.get(i).pattern()));
            lucifer_tensor_type.type(entry, tensorTypes.get(i).type());
        }
        return array;
    }

    private void writeNumbers(MemorySegment struct) {
        lucifer_quantize_params.max_buffer_bytes(struct, maxBufferBytes);
        lucifer_quantize_params.ftype(struct, ftype);
        lucifer_quantize_params.n_threads(struct, nThreads);
        lucifer_quantize_params.output_tensor_type(struct, outputTensorType);
        lucifer_quantize_params.token_embedding_type(struct, tokenEmbeddingType);
        lucifer_quantize_params.only_copy(struct, onlyCopy ? 1 : 0);
        lucifer_quantize_params.pure(struct, pure ? 1 : 0);
        lucifer_quantize_params.allow_requantize(struct, allowRequantize ? 1 : 0);
        lucifer_quantize_params.quantize_output_tensor(struct, quantizeOutputTensor ? 1 : 0);
        lucifer_quantize_params.keep_split(struct, keepSplit ? 1 : 0);
        lucifer_quantize_params.dry_run(struct, dryRun ? 1 : 0);
    }
}
