package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_context_params;
import ai.luciferai.llama.bindings.lucifer_llama_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/** Mirror of the C struct {@code lucifer_context_params}: what a context is made with. Filled with llama.cpp's defaults. */
public final class ContextParams {

    /** Tokens in all sequences together; 0: the model's own. */
    public int nCtx;
    /** Most tokens in one decode call. */
    public int nBatch;
    /** Most tokens computed at once. */
    public int nUbatch;
    public int nSeqMax;
    /** For single tokens; 0: the number of physical cores, or 1 where devices compute all. */
    public int nThreads;
    /** For prompts; 0: as for single tokens. */
    public int nThreadsBatch;
    /** {@code enum llama_flash_attn_type}. */
    public int flashAttn;
    /** {@code enum ggml_type}. */
    public int typeK;
    /** {@code enum ggml_type}. */
    public int typeV;
    /** {@code enum llama_pooling_type}; -1: the model's own. */
    public int poolingType;
    /** {@code enum llama_attention_type}; -1: the model's own. */
    public int attentionType;
    /** {@code enum llama_rope_scaling_type}; -1: the model's own. */
    public int ropeScalingType;
    /** 0: the model's own, here and below. */
    public float ropeFreqBase;
    public float ropeFreqScale;
    /** Negative: the model's own. */
    public float yarnExtFactor;
    public float yarnAttnFactor;
    public float yarnBetaFast;
    public float yarnBetaSlow;
    public int yarnOrigCtx;
    public boolean embeddings;
    public boolean offloadKqv;
    public boolean opOffload;
    public boolean swaFull;
    public boolean kvUnified;
    /** {@code enum lucifer_imatrix}: what {@link Collector} can be asked for. */
    public int imatrix;

    private ContextParams(MemorySegment struct) {
        nCtx = lucifer_context_params.n_ctx(struct);
        nBatch = lucifer_context_params.n_batch(struct);
        nUbatch = lucifer_context_params.n_ubatch(struct);
        nSeqMax = lucifer_context_params.n_seq_max(struct);
        nThreads = lucifer_context_params.n_threads(struct);
        nThreadsBatch = lucifer_context_params.n_threads_batch(struct);
        flashAttn = lucifer_context_params.flash_attn(struct);
        typeK = lucifer_context_params.type_k(struct);
        typeV = lucifer_context_params.type_v(struct);
        poolingType = lucifer_context_params.pooling_type(struct);
        attentionType = lucifer_context_params.attention_type(struct);
        ropeScalingType = lucifer_context_params.rope_scaling_type(struct);
        ropeFreqBase = lucifer_context_params.rope_freq_base(struct);
        ropeFreqScale = lucifer_context_params.rope_freq_scale(struct);
        yarnExtFactor = lucifer_context_params.yarn_ext_factor(struct);
        yarnAttnFactor = lucifer_context_params.yarn_attn_factor(struct);
        yarnBetaFast = lucifer_context_params.yarn_beta_fast(struct);
        yarnBetaSlow = lucifer_context_params.yarn_beta_slow(struct);
        yarnOrigCtx = lucifer_context_params.yarn_orig_ctx(struct);
        embeddings = lucifer_context_params.embeddings(struct) != 0;
        offloadKqv = lucifer_context_params.offload_kqv(struct) != 0;
        opOffload = lucifer_context_params.op_offload(struct) != 0;
        swaFull = lucifer_context_params.swa_full(struct) != 0;
        kvUnified = lucifer_context_params.kv_unified(struct) != 0;
        imatrix = lucifer_context_params.imatrix(struct);
    }

    /** llama.cpp's defaults, with as many threads as there are physical cores. */
    public static ContextParams defaults() {
        NativeLibrary.require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_context_params.allocate(arena);
            lucifer_context_params.struct_size(struct, lucifer_context_params.sizeof());
            Status.check(lucifer_llama_h.lucifer_context_params_init(struct), "lucifer_context_params_init");
            return new ContextParams(struct);
        }
    }

    /** The struct as C reads it, valid as long as the allocator's memory. */
    MemorySegment toNative(SegmentAllocator arena, ModelHandle model) {
        MemorySegment struct = lucifer_context_params.allocate(arena);
        lucifer_context_params.struct_size(struct, lucifer_context_params.sizeof());
        lucifer_context_params.model(struct, model.shared());
        lucifer_context_params.n_ctx(struct, nCtx);
        lucifer_context_params.n_batch(struct, nBatch);
        lucifer_context_params.n_ubatch(struct, nUbatch);
        lucifer_context_params.n_seq_max(struct, nSeqMax);
        lucifer_context_params.n_threads(struct, nThreads);
        lucifer_context_params.n_threads_batch(struct, nThreadsBatch);
        lucifer_context_params.flash_attn(struct, flashAttn);
        lucifer_context_params.type_k(struct, typeK);
        lucifer_context_params.type_v(struct, typeV);
        lucifer_context_params.pooling_type(struct, poolingType);
        lucifer_context_params.attention_type(struct, attentionType);
        lucifer_context_params.rope_scaling_type(struct, ropeScalingType);
        lucifer_context_params.rope_freq_base(struct, ropeFreqBase);
        lucifer_context_params.rope_freq_scale(struct, ropeFreqScale);
        lucifer_context_params.yarn_ext_factor(struct, yarnExtFactor);
        lucifer_context_params.yarn_attn_factor(struct, yarnAttnFactor);
        lucifer_context_params.yarn_beta_fast(struct, yarnBetaFast);
        lucifer_context_params.yarn_beta_slow(struct, yarnBetaSlow);
        lucifer_context_params.yarn_orig_ctx(struct, yarnOrigCtx);
        lucifer_context_params.embeddings(struct, embeddings ? 1 : 0);
        lucifer_context_params.offload_kqv(struct, offloadKqv ? 1 : 0);
        lucifer_context_params.op_offload(struct, opOffload ? 1 : 0);
        lucifer_context_params.swa_full(struct, swaFull ? 1 : 0);
        lucifer_context_params.kv_unified(struct, kvUnified ? 1 : 0);
        lucifer_context_params.imatrix(struct, imatrix);
        return struct;
    }
}
