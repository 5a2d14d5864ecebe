package ai.luciferai.llama.ffi;

import ai.luciferai.llama.bindings.lucifer_context_info;
import java.lang.foreign.MemorySegment;

/**
 * Mirror of the C struct {@code lucifer_context_info}: a context as it came out and as it is now.
 *
 * @param stateBytes    size of a saved state now
 * @param nCtxSeq       tokens that one sequence can hold
 * @param canShift      boolean
 * @param hasMemory     boolean: false for encoders
 */
public record ContextDescription(
        long stateBytes, int nCtx, int nCtxSeq, int nBatch, int nUbatch, int nSeqMax, int poolingType, int nThreads,
        int nThreadsBatch, boolean canShift, boolean hasMemory) {

    static ContextDescription of(MemorySegment struct) {
        return new ContextDescription(
                lucifer_context_info.state_bytes(struct), lucifer_context_info.n_ctx(struct),
                lucifer_context_info.n_ctx_seq(struct), lucifer_context_info.n_batch(struct),
                lucifer_context_info.n_ubatch(struct), lucifer_context_info.n_seq_max(struct),
                lucifer_context_info.pooling_type(struct), lucifer_context_info.n_threads(struct),
                lucifer_context_info.n_threads_batch(struct), lucifer_context_info.can_shift(struct) != 0,
                lucifer_context_info.has_memory(struct) != 0);
    }
}
