package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.bindings.lucifer_model_params;
import ai.luciferai.llama.core.Cancel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;

/** Mirror of the C struct {@code lucifer_model_params}: what a model is loaded with. Filled with llama.cpp's defaults. */
public final class ModelParams {

    /** {@link #nGpuLayers}: every layer. */
    public static final int GPU_LAYERS_ALL = -1;
    /** {@link #nGpuLayers}: as many as fit into the free memory of the devices, together with the context in fit*. */
    public static final int GPU_LAYERS_AUTO = -2;

    /** The file, or all parts of a split model in order. */
    public List<Path> paths = List.of();
    /** Names of the devices to use; null: all; empty: none but the CPU. */
    public List<String> devices;
    /** Share of each device; null: by free memory. */
    public float[] tensorSplit;
    public List<KvOverrides.Entry> kvOverrides = List.of();
    /** A number, {@link #GPU_LAYERS_ALL} or {@link #GPU_LAYERS_AUTO}. */
    public int nGpuLayers;
    /** {@code enum llama_split_mode}. */
    public int splitMode;
    /** {@code enum llama_load_mode}. */
    public int loadMode;
    public int mainGpu;
    /** Bytes to leave free on each device (AUTO only). */
    public long fitMargin;
    /** Context that AUTO leaves room for; 0: the model's own, shrunk if need be. */
    public int fitNCtx;
    /** 0: default. */
    public int fitNUbatch;
    /** Rows of its table of learnt positions; 0: it has none. */
    public int nPositions;
    public boolean vocabOnly;
    public boolean checkTensors;
    /** Repack weights for this CPU. */
    public boolean useExtraBufts;

    private ModelParams(MemorySegment struct) {
        nGpuLayers = lucifer_model_params.n_gpu_layers(struct);
        splitMode = lucifer_model_params.split_mode(struct);
        loadMode = lucifer_model_params.load_mode(struct);
        mainGpu = lucifer_model_params.main_gpu(struct);
        fitMargin = lucifer_model_params.fit_margin(struct);
        fitNCtx = lucifer_model_params.fit_n_ctx(struct);
        fitNUbatch = lucifer_model_params.fit_n_ubatch(struct);
        vocabOnly = lucifer_model_params.vocab_only(struct) != 0;
        checkTensors = lucifer_model_params.check_tensors(struct) != 0;
        useExtraBufts = lucifer_model_params.use_extra_bufts(struct) != 0;
    }

    /** llama.cpp's defaults. */
    public static ModelParams defaults() {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_model_params.allocate(arena);
            lucifer_model_params.struct_size(struct, lucifer_model_params.sizeof());
            Status.check(lucifer_llama_h.lucifer_model_params_init(struct), "lucifer_model_params_init");
            return new ModelParams(struct);
        }
    }

    /** The struct as C reads it, valid as long as the allocator's memory; the caller keeps the flag reachable. */
    MemorySegment toNative(SegmentAllocator arena, MemorySegment progress, Cancel cancel) {
        MemorySegment struct = lucifer_model_params.allocate(arena);
        lucifer_model_params.struct_size(struct, lucifer_model_params.sizeof());
        writeNumbers(struct);
        writeLists(struct, arena);
        lucifer_model_params.progress(struct, progress);
        lucifer_model_params.cancel(struct, cancel.segment());
        return struct;
    }

    private void writeNumbers(MemorySegment struct) {
        lucifer_model_params.n_gpu_layers(struct, nGpuLayers);
        lucifer_model_params.split_mode(struct, splitMode);
        lucifer_model_params.load_mode(struct, loadMode);
        lucifer_model_params.main_gpu(struct, mainGpu);
        lucifer_model_params.fit_margin(struct, fitMargin);
        lucifer_model_params.fit_n_ctx(struct, fitNCtx);
        lucifer_model_params.fit_n_ubatch(struct, fitNUbatch);
        lucifer_model_params.n_positions(struct, nPositions);
        lucifer_model_params.vocab_only(struct, vocabOnly ? 1 : 0);
        lucifer_model_params.check_tensors(struct, checkTensors ? 1 : 0);
        lucifer_model_params.use_extra_bufts(struct, useExtraBufts ? 1 : 0);
    }

    private void writeLists(MemorySegment struct, SegmentAllocator arena) {
        lucifer_model_params.paths(struct, NativeText.in(arena, "path", paths.stream().map(Path::toString).toList()));
        lucifer_model_params.n_paths(struct, paths.size());
        if (devices != null) {
            // Not the null pointer for an empty list: that means all devices.
            lucifer_model_params.devices(struct,
                    devices.isEmpty() ? arena.allocate(ValueLayout.ADDRESS) : NativeText.in(arena, "device", devices));
            lucifer_model_params.n_devices(struct, devices.size());
        }
        if (tensorSplit != null) {
            lucifer_model_params.tensor_split(struct, arena.allocateFrom(ValueLayout.JAVA_FLOAT, tensorSplit));
            lucifer_model_params.n_tensor_split(struct, tensorSplit.length);
        }
        lucifer_model_params.kv_overrides(struct, KvOverrides.toNative(kvOverrides, arena));
        lucifer_model_params.n_kv_overrides(struct, kvOverrides.size());
    }
}
