// Computes batches and hands out what came of them.

#include "objects.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lucifer {

void require_output(const lucifer_context & context, int32_t i) {
    const bool there = i < 0 ? -i <= context.n_outputs : i < (int32_t) context.outputs.size() && context.outputs[(size_t) i] != 0;
    if (!there) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "token %d of the last batch has no output (tokens: %d, outputs: %d)", i,
             (int) context.outputs.size(), context.n_outputs);
    }
}

namespace {

// Sets the flag that llama.cpp's abort callback polls, for the time of one call.
class cancel_scope {
public:
    cancel_scope(lucifer_context & context, const int32_t * cancel) : context_(context) {
        context_.cancel.store(cancel, std::memory_order_relaxed);
    }
    ~cancel_scope() { context_.cancel.store(nullptr, std::memory_order_relaxed); }
    cancel_scope(const cancel_scope &)             = delete;
    cancel_scope & operator=(const cancel_scope &) = delete;

private:
    lucifer_context & context_;
};

// llama.cpp asserts on, or silently misreads, what is refused here.
void require_batch(const lucifer_context & c, const lucifer_batch & batch, bool whole) {
    const int32_t most = whole ? std::min(c.n_batch, c.n_ubatch) : c.n_batch;
    if (batch.n_tokens < 1 || batch.n_tokens > most) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the batch has %d tokens, expected 1 to %d%s", batch.n_tokens, most,
             whole ? " (n_ubatch: this model computes a text as a whole)" : " (n_batch)");
    }
    require(batch.tokens, "tokens");
    require(batch.pos, "pos");
    require(batch.seq_ids, "seq_ids");
    for (int32_t i = 0; i < batch.n_tokens; i++) {
        if ((uint32_t) batch.tokens[i] >= (uint32_t) c.n_vocab) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "token %d of the batch is %d, the vocabulary has %d", i, batch.tokens[i], c.n_vocab);
        }
        if (batch.pos[i] < 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "token %d of the batch stands at position %d", i, batch.pos[i]);
        }
        if (c.model->n_positions > 0 && batch.pos[i] >= c.model->n_positions) {
            fail(LUCIFER_STATUS_CONTEXT_FULL, "token %d of the batch stands at position %d, the model has learnt %d", i, batch.pos[i],
                 c.model->n_positions);
        }
        require_seq(c, batch.seq_ids[i]);
    }
}

void note_outputs(lucifer_context & c, int32_t n_tokens, const int8_t * outputs) {
    if (outputs == nullptr) {
        c.outputs.assign((size_t) n_tokens, 1);
        c.n_outputs = n_tokens;
        return;
    }
    c.outputs.assign(outputs, outputs + n_tokens);
    c.n_outputs = (int32_t) std::count_if(outputs, outputs + n_tokens, [](int8_t o) { return o != 0; });
}

int32_t decode_status(int32_t result) {
    switch (result) {
        case 0: return LUCIFER_STATUS_OK;
        case 1: fail(LUCIFER_STATUS_CONTEXT_FULL, "no room in the cache for this batch");
        case 2: fail(LUCIFER_STATUS_CANCELLED, "cancelled");
        case -1: fail(LUCIFER_STATUS_INVALID_ARGUMENT, "llama.cpp refuses the batch: %s", call_last_error_line().c_str());
        default: fail(LUCIFER_STATUS_FAILED, "llama.cpp failed to compute the batch (%d)", result);
    }
}

int32_t run(lucifer_context & c, bool encode, const lucifer_batch & asked) {
    require_batch(c, asked, encode || !c.causal);
    const bool all = encode || c.embeddings; // then llama.cpp outputs every token whatever is asked for
    if (!all) {
        require(asked.outputs, "outputs");
    }
    c.outputs.clear();
    c.n_outputs = 0;
    if (is_set(asked.cancel)) {
        fail(LUCIFER_STATUS_CANCELLED, "cancelled");
    }
    require_servers(c.model->links);
    // llama.cpp does not write into a batch, its fields are just not const
    for (int32_t i = 0; i < asked.n_tokens; i++) {
        c.seq_id[(size_t) i] = const_cast<llama_seq_id *>(asked.seq_ids + i);
    }
    const int8_t *    outputs = all ? nullptr : asked.outputs;
    const llama_batch batch   = {asked.n_tokens,
                                 const_cast<llama_token *>(asked.tokens),
                                 nullptr,
                                 const_cast<llama_pos *>(asked.pos),
                                 c.n_seq_id.data(),
                                 c.seq_id.data(),
                                 const_cast<int8_t *>(outputs)};

    cancel_scope scope(c, asked.cancel);
    const int32_t status = decode_status(encode ? llama_encode(c.context.get(), batch) : llama_decode(c.context.get(), batch));
    if (c.imatrix != nullptr && !c.imatrix->fault().empty()) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s", c.imatrix->fault().c_str());
    }
    note_outputs(c, asked.n_tokens, outputs);
    return status;
}

const float * logits_of(lucifer_context & c, int32_t i) {
    require_output(c, i);
    const float * logits = llama_get_logits_ith(c.context.get(), i);
    if (logits == nullptr) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "this context computes no logits: %s", call_last_error_line().c_str());
    }
    return logits;
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_context_decode(struct lucifer_context * context, const struct lucifer_batch * batch) {
    return guard_object("lucifer_context_decode", context, [&] {
        require_size(batch);
        return run(*context, !context->has_memory, *batch);
    });
}

int32_t lucifer_context_encode(struct lucifer_context * context, const struct lucifer_batch * batch) {
    return guard_object("lucifer_context_encode", context, [&] {
        require_size(batch);
        if (!llama_model_has_encoder(context->model->model.get())) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "%s has no encoder", context->model->path.c_str());
        }
        return run(*context, true, *batch);
    });
}

int32_t lucifer_context_logits(struct lucifer_context * context, int32_t i, float * out, int32_t n_vocab) {
    return guard_object("lucifer_context_logits", context, [&] {
        require(out, "out");
        if (n_vocab != context->n_vocab) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_vocab is %d, expected %d", n_vocab, context->n_vocab);
        }
        memcpy(out, logits_of(*context, i), (size_t) n_vocab * sizeof(float));
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_logits_rows(struct lucifer_context * context, int32_t i, int32_t n_rows, const float ** rows) {
    return guard_object("lucifer_context_logits_rows", context, [&] {
        require(rows, "rows");
        if (i < 0 || n_rows < 1 || n_rows > (int32_t) context->outputs.size()) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%d rows from token %d on", n_rows, i);
        }
        for (int32_t row = 0; row < n_rows; row++) {
            require_output(*context, i + row);
        }
        *rows = logits_of(*context, i); // llama.cpp puts them into the order of the batch
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_logprobs(struct lucifer_context * context, int32_t i, int32_t token, float * token_logprob, int32_t n_top,
                                 int32_t * top_ids, float * top_logprobs) {
    return guard_object("lucifer_context_logprobs", context, [&] {
        const int32_t n_vocab = context->n_vocab;
        if (n_top < 0 || n_top > n_vocab || (n_top > 0 && (top_ids == nullptr || top_logprobs == nullptr))) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_top is %d, expected 0 to %d, with arrays", n_top, n_vocab);
        }
        if (token_logprob != nullptr) {
            require_token(*context->model, token);
        }
        const float * logits = logits_of(*context, i);
        const double  max    = *std::max_element(logits, logits + n_vocab);
        double        sum    = 0;
        for (int32_t t = 0; t < n_vocab; t++) {
            sum += std::exp((double) logits[t] - max);
        }
        const double log_sum = max + std::log(sum); // logprob(t) = logits[t] - log_sum
        if (!std::isfinite(log_sum)) {
            fail_broken(*context->model, "the logits are not numbers");
        }
        if (token_logprob != nullptr) {
            *token_logprob = (float) ((double) logits[token] - log_sum);
        }
        std::vector<int32_t> ids((size_t) n_vocab);
        for (int32_t t = 0; t < n_vocab && n_top > 0; t++) {
            ids[(size_t) t] = t;
        }
        auto before = [&](int32_t a, int32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
        std::partial_sort(ids.begin(), ids.begin() + n_top, ids.end(), before);
        for (int32_t k = 0; k < n_top; k++) {
            top_ids[k]      = ids[(size_t) k];
            top_logprobs[k] = (float) ((double) logits[ids[(size_t) k]] - log_sum);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_embeddings(struct lucifer_context * context, int32_t i, int32_t seq_id, float * out, int32_t n_out) {
    return guard_object("lucifer_context_embeddings", context, [&] {
        require(out, "out");
        llama_context *     c     = context->context.get();
        const llama_model * model = context->model->model.get();
        if (!context->embeddings) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "the context was made without embeddings");
        }
        const enum llama_pooling_type pooling = llama_pooling_type(c);
        const bool    per_token = pooling == LLAMA_POOLING_TYPE_NONE;
        const int32_t expected  = pooling == LLAMA_POOLING_TYPE_RANK ? (int32_t) llama_model_n_cls_out(model) : llama_model_n_embd_out(model);
        if (n_out != expected) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_out is %d, expected %d", n_out, expected);
        }
        if (per_token != (seq_id < 0)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the context gives embeddings %s", per_token ? "of tokens (pooling none)" : "of sequences");
        }
        if (per_token) {
            require_output(*context, i);
        } else {
            require_seq(*context, seq_id);
        }
        const float * values = per_token ? llama_get_embeddings_ith(c, i) : llama_get_embeddings_seq(c, seq_id);
        if (values == nullptr) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the last batch gave no embedding for %s %d", per_token ? "token" : "sequence",
                 per_token ? i : seq_id);
        }
        if (!std::all_of(values, values + n_out, [](float v) { return std::isfinite(v); })) {
            fail_broken(*context->model, "the embedding is not a vector of numbers");
        }
        memcpy(out, values, (size_t) n_out * sizeof(float));
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_synchronize(struct lucifer_context * context) {
    return guard_object("lucifer_context_synchronize", context, [&] {
        llama_synchronize(context->context.get());
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
