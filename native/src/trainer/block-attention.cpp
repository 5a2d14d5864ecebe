#include "block-attention.h"

#include "autograd.h"

#include "ggml-cpp.h"

#include <algorithm>

namespace lucifer {

// [a, b, c] as [a, c, b], contiguous
static ggml_tensor * swapped(ggml_context * ctx, ggml_tensor * t) { return gathered(ctx, ggml_permute(ctx, t, 0, 2, 1, 3)); }

static ggml_tensor * joined(ggml_context * ctx, ggml_tensor * first, ggml_tensor * second) {
    return first == nullptr ? second : ggml_concat(ctx, first, second, 2);
}

// sum with part added to the beginning of each of its dimensions
static ggml_tensor * added(ggml_context * ctx, ggml_tensor * sum, ggml_tensor * part) {
    return sum == nullptr ? part : ggml_acc(ctx, sum, part, sum->nb[1], sum->nb[2], sum->nb[3], 0);
}

block_attention::block_attention(ggml_context * ctx, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale,
                                 int64_t block_rows)
    : q(q), k(k), v(v), scale(scale) {
    for (int64_t begin = 0; begin < q->ne[1]; begin += block_rows) {
        const int64_t rows = std::min(block_rows, q->ne[1] - begin);
        const int64_t keys = begin + rows == q->ne[1] ? k->ne[1] : begin + rows;
        block b = { begin, rows, keys, nullptr };

        ggml_tensor * seen   = ggml_view_2d(ctx, mask, keys, rows, mask->nb[1], begin*mask->nb[1]);
        ggml_tensor * scores = ggml_mul_mat(ctx, keys_of(ctx, b), queries_of(ctx, b));
        b.probabilities = ggml_soft_max_ext(ctx, scores, ggml_is_contiguous(seen) ? seen : ggml_cont(ctx, seen), scale, 0.0f);
        all = joined(ctx, all, swapped(ctx, ggml_mul_mat(ctx, values_of(ctx, b), b.probabilities)));
        blocks.push_back(b);
    }
}

// [d, rows, heads]
ggml_tensor * block_attention::queries_of(ggml_context * ctx, const block & b) const {
    return ggml_view_3d(ctx, q, q->ne[0], b.rows, q->ne[2], q->nb[1], q->nb[2], b.begin*q->nb[1]);
}

// [d, keys, kv_heads]
ggml_tensor * block_attention::keys_of(ggml_context * ctx, const block & b) const {
    return ggml_view_3d(ctx, k, k->ne[0], b.keys, k->ne[2], k->nb[1], k->nb[2], 0);
}

// [keys, d_v, kv_heads]
ggml_tensor * block_attention::values_of(ggml_context * ctx, const block & b) const {
    return ggml_view_3d(ctx, v, b.keys, v->ne[1], v->ne[2], v->nb[1], v->nb[2], 0);
}

// [x, rows, heads], contiguous, as [x, rows * (heads / kv_heads), kv_heads]: rows that meet the same keys are rows of one matrix.
ggml_tensor * block_attention::by_kv_head(ggml_context * ctx, ggml_tensor * t) const {
    return ggml_reshape_3d(ctx, t, t->ne[0], t->ne[1]*t->ne[2]/k->ne[2], k->ne[2]);
}

// P = softmax(S): dV = P^T g, dP = g V^T, dS = P (dP - rowsum(P dP)), dQ = scale dS K, dK = scale dS^T Q
attention_gradients block_attention::gradients(ggml_context * ctx, ggml_tensor * g, bool fuses) const {
    ggml_tensor * dq = nullptr;  // [d, heads, n]
    ggml_tensor * dk = nullptr;
    ggml_tensor * dv = nullptr;
    for (auto b = blocks.rbegin(); b != blocks.rend(); ++b) {  // the last has all keys
        ggml_tensor * part = ggml_view_3d(ctx, g, g->ne[0], g->ne[1], b->rows, g->nb[1], g->nb[2], b->begin*g->nb[2]);
        ggml_tensor * gb   = by_kv_head(ctx, swapped(ctx, part));  // [d_v, rows * group, kv_heads]
        ggml_tensor * p    = by_kv_head(ctx, b->probabilities);
        ggml_tensor * dp   = ggml_out_prod(ctx, values_of(ctx, *b), ggml_transpose(ctx, gb));
        ggml_tensor * ds   = soft_max_gradient(ctx, p, dp, scale, fuses);
        dv = added(ctx, dv, ggml_out_prod(ctx, p, gb));
        dk = added(ctx, dk, ggml_out_prod(ctx, by_kv_head(ctx, gathered(ctx, queries_of(ctx, *b))), ds));
        ggml_tensor * d_query = ggml_out_prod(ctx, keys_of(ctx, *b), ggml_transpose(ctx, ds));
        d_query = swapped(ctx, ggml_reshape_3d(ctx, d_query, q->ne[0], b->rows, q->ne[2]));
        dq      = dq == nullptr ? d_query : ggml_concat(ctx, d_query, dq, 2);
    }
    return { ggml_permute(ctx, dq, 0, 2, 1, 3), dk, dv };
}

bool supports_block_attention(ggml_backend_t device) {
    const ggml_context_ptr ctx(ggml_init({ 16*ggml_tensor_overhead(), nullptr, true }));
    ggml_tensor * t       = ggml_new_tensor_3d(ctx.get(), GGML_TYPE_F32, 64, 64, 2);
    ggml_tensor * larger  = ggml_new_tensor_3d(ctx.get(), GGML_TYPE_F32, 128, 64, 2);
    ggml_tensor * strided = ggml_view_3d(ctx.get(), larger, 64, 64, 2, larger->nb[1], larger->nb[2], 0);
    return ggml_backend_supports_op(device, ggml_out_prod(ctx.get(), strided, ggml_transpose(ctx.get(), t))) &&
           ggml_backend_supports_op(device, ggml_mul_mat(ctx.get(), strided, t)) &&
           ggml_backend_supports_op(device, ggml_acc(ctx.get(), larger, t, larger->nb[1], larger->nb[2], larger->nb[3], 0));
}

}  // namespace lucifer
