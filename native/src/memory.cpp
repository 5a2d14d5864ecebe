// The memory (KV cache, recurrent state) of a context.

#include "objects.h"

#include <cstdlib>

namespace lucifer {

static llama_memory_t memory_of(const lucifer_context & context) {
    if (!context.has_memory) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "%s keeps no memory between calls: it is an encoder", context.model->path.c_str());
    }
    return llama_get_memory(context.context.get());
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_memory_clear(struct lucifer_context * context) {
    return guard_object("lucifer_memory_clear", context, [&] {
        llama_memory_clear(memory_of(*context), true);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_memory_remove(struct lucifer_context * context, int32_t seq_id, int32_t p0, int32_t p1, int32_t * removed) {
    return guard_object("lucifer_memory_remove", context, [&] {
        require(removed, "removed");
        require_seq(*context, seq_id);
        *removed = llama_memory_seq_rm(memory_of(*context), seq_id, p0, p1) ? 1 : 0;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_memory_copy(struct lucifer_context * context, int32_t from_seq, int32_t to_seq, int32_t p0, int32_t p1) {
    return guard_object("lucifer_memory_copy", context, [&] {
        require_seq(*context, from_seq);
        require_seq(*context, to_seq);
        const llama_memory_t memory = memory_of(*context);
        if (from_seq == to_seq) {
            return (int32_t) LUCIFER_STATUS_OK;
        }
        // each sequence has a buffer of its own then, and llama.cpp copies it as a whole or asserts
        const bool part = p0 > 0 || (p1 >= 0 && p1 <= llama_memory_seq_pos_max(memory, from_seq));
        if (!context->kv_unified && part) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "part of a sequence can be copied only with kv_unified");
        }
        llama_memory_seq_cp(memory, from_seq, to_seq, context->kv_unified ? p0 : -1, context->kv_unified ? p1 : -1);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_memory_shift(struct lucifer_context * context, int32_t seq_id, int32_t p0, int32_t p1, int32_t delta) {
    return guard_object("lucifer_memory_shift", context, [&] {
        require_seq(*context, seq_id);
        const llama_memory_t memory = memory_of(*context);
        if (!llama_memory_can_shift(memory)) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "%s cannot shift positions", context->model->path.c_str());
        }
        const int64_t lowest = (int64_t) (p0 < 0 ? 0 : p0) + delta;
        if (lowest < 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "a shift by %d moves position %d below 0", delta, p0 < 0 ? 0 : p0);
        }
        llama_memory_seq_add(memory, seq_id, p0, p1, delta);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_memory_pos_max(struct lucifer_context * context, int32_t seq_id, int32_t * pos) {
    return guard_object("lucifer_memory_pos_max", context, [&] {
        require(pos, "pos");
        require_seq(*context, seq_id);
        *pos = llama_memory_seq_pos_max(memory_of(*context), seq_id);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_memory_pos_min(struct lucifer_context * context, int32_t seq_id, int32_t * pos) {
    return guard_object("lucifer_memory_pos_min", context, [&] {
        require(pos, "pos");
        require_seq(*context, seq_id);
        *pos = llama_memory_seq_pos_min(memory_of(*context), seq_id);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
