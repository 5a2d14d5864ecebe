#include "attention.h"

#include "gemm.h"
#include "own-op.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace lucifer {

static const int64_t BLOCK_ROWS = 144;  // rows of a block, over all heads that share keys: what gemm() packs at once

namespace {

// Query rows [begin, end), all of whose keys lie in [first, last).
struct block {
    int64_t begin;
    int64_t end;
    int64_t first;
    int64_t last;

    int64_t rows() const { return end - begin; }
    int64_t keys() const { return last - first; }
};

// The tensors of an attention, and room for one block.
class worker {
  public:
    worker(const ggml_tensor * op);

    const std::vector<block> & blocks() const { return parts; }

    void forward(ggml_tensor * dst, int64_t kv_head, const block & b);

    // Writes dq of the block's rows and adds to dk and dv of its keys.
    void backward(ggml_tensor * dst, const ggml_tensor * g, int64_t kv_head, const block & b);
    void clear(ggml_tensor * dst, int64_t kv_head) const;

  private:
    const ggml_tensor * q;
    const ggml_tensor * k;
    const ggml_tensor * v;
    const ggml_tensor * mask;
    float               scale;
    int64_t             n;        // rows
    int64_t             d;
    int64_t             d_v;
    int64_t             heads;
    int64_t             kv_heads;
    int64_t             group;    // heads that share keys
    std::vector<block>  parts;

    std::vector<float> & room(int which, int64_t size) const;

    void    find_blocks();
    void    gather(const ggml_tensor * from, int64_t kv_head, const block & b, float factor, std::vector<float> & to) const;
    void    probabilities(int64_t kv_head, const block & b, const float * queries, float * to) const;
    const float * mask_row(int64_t row) const { return reinterpret_cast<const float *>(static_cast<const char *>(mask->data) + row*mask->nb[1]); }
    gemm_matrix keys_of(int64_t kv_head, const block & b) const;
    gemm_matrix values_of(int64_t kv_head, const block & b) const;
    float * d_keys(ggml_tensor * dst) const { return static_cast<float *>(dst->data) + n*heads*d; }
    float * d_values(ggml_tensor * dst) const { return d_keys(dst) + n*kv_heads*d; }
};

}  // namespace

static gemm_matrix matrix(const void * data, int64_t stride_i, int64_t stride_j) {
    return { data, stride_i, stride_j, nullptr, 0, 1, sizeof(float), true };
}

static gemm_matrix transposed(gemm_matrix m) {
    std::swap(m.stride_i, m.stride_j);
    return m;
}

static const char * at(const ggml_tensor * t, int64_t i0, int64_t i1, int64_t i2) {
    return static_cast<const char *>(t->data) + i0*t->nb[0] + i1*t->nb[1] + i2*t->nb[2];
}

// c [m, n] of rows ldc apart = a [m, k] b [k, n], or added to it
static void multiply(int64_t m, int64_t n, int64_t k, const gemm_matrix & a, const gemm_matrix & b, float * c, int64_t ldc, bool add) {
    static thread_local std::vector<float> scratch;
    scratch.resize(gemm_best().scratch);
    gemm_best().run({ m, n, k, a, b, c, ldc, 1.0f, add }, scratch.data());
}

worker::worker(const ggml_tensor * op)
    : q(op->src[0]), k(op->src[1]), v(op->src[2]), mask(op->src[3]), scale(own_param(op, 0)), n(q->ne[1]), d(q->ne[0]), d_v(v->ne[1]),
      heads(q->ne[2]), kv_heads(k->ne[2]), group(heads/kv_heads) {
    find_blocks();
}

std::vector<float> & worker::room(int which, int64_t size) const {
    static thread_local std::vector<float> rooms[5];
    if ((int64_t) rooms[which].size() < size) {
        rooms[which].resize(size);
    }
    return rooms[which];
}

// A row that sees nothing before itself starts a sample, and with it a block, unless the row before was alone too: padding rows are,
// and share blocks.
void worker::find_blocks() {
    const int64_t most  = std::max<int64_t>(BLOCK_ROWS/group, 16);
    bool          alone = false;
    for (int64_t row = 0; row < n; ++row) {
        const float * seen  = mask_row(row);
        const int64_t first = std::find_if(seen, seen + n, [](float x) { return x != -INFINITY; }) - seen;
        int64_t       last  = n;
        while (last > first + 1 && seen[last - 1] == -INFINITY) {
            --last;
        }
        const bool starts = first == row && !alone;
        if (parts.empty() || starts || parts.back().rows() == most) {
            parts.push_back({ row, row, first, last });
        }
        block & b = parts.back();
        b.end   = row + 1;
        b.first = std::min(b.first, first);
        b.last  = std::max(b.last, last);
        alone   = first == row && last == row + 1;
    }
}

// to [rows * group, ne0 of from]: the block's rows of the heads that share keys, side by side; from is [width, n, heads].
void worker::gather(const ggml_tensor * from, int64_t kv_head, const block & b, float factor, std::vector<float> & to) const {
    const int64_t width = from->ne[0];
    const int64_t step  = from->nb[0]/sizeof(float);
    float *       row   = to.data();
    for (int64_t i = b.begin; i < b.end; ++i) {
        for (int64_t h = 0; h < group; ++h, row += width) {
            const float * x = reinterpret_cast<const float *>(at(from, 0, i, kv_head*group + h));
            for (int64_t l = 0; l < width; ++l) {
                row[l] = x[l*step]*factor;
            }
        }
    }
}

// [d, keys]
gemm_matrix worker::keys_of(int64_t kv_head, const block & b) const {
    return matrix(at(k, 0, b.first, kv_head), k->nb[0]/sizeof(float), k->nb[1]/sizeof(float));
}

// [keys, d_v]
gemm_matrix worker::values_of(int64_t kv_head, const block & b) const {
    return matrix(at(v, b.first, 0, kv_head), v->nb[0]/sizeof(float), v->nb[1]/sizeof(float));
}

// to [rows * group, keys]
void worker::probabilities(int64_t kv_head, const block & b, const float * queries, float * to) const {
    multiply(b.rows()*group, b.keys(), d, matrix(queries, d, 1), keys_of(kv_head, b), to, b.keys(), false);
    for (int64_t r = 0; r < b.rows()*group; ++r) {
        gemm_best().soft_max(to + r*b.keys(), mask_row(b.begin + r/group) + b.first, b.keys());
    }
}

void worker::forward(ggml_tensor * dst, int64_t kv_head, const block & b) {
    const int64_t rows    = b.rows()*group;
    auto &        queries = room(0, rows*d);
    auto &        probs   = room(1, rows*b.keys());
    auto &        result  = room(2, rows*d_v);
    gather(q, kv_head, b, scale, queries);
    probabilities(kv_head, b, queries.data(), probs.data());
    multiply(rows, d_v, b.keys(), matrix(probs.data(), b.keys(), 1), values_of(kv_head, b), result.data(), d_v, false);
    for (int64_t i = 0; i < b.rows(); ++i) {  // dst is [d_v, heads, n]
        float * to = static_cast<float *>(dst->data) + ((b.begin + i)*heads + kv_head*group)*d_v;
        std::memcpy(to, result.data() + i*group*d_v, group*d_v*sizeof(float));
    }
}

void worker::clear(ggml_tensor * dst, int64_t kv_head) const {
    for (int64_t row = 0; row < n; ++row) {
        std::memset(d_keys(dst) + (row*kv_heads + kv_head)*d, 0, d*sizeof(float));
        std::memset(d_values(dst) + (row*kv_heads + kv_head)*d_v, 0, d_v*sizeof(float));
    }
}

void worker::backward(ggml_tensor * dst, const ggml_tensor * g, int64_t kv_head, const block & b) {
    const int64_t rows    = b.rows()*group;
    auto &        queries = room(0, rows*d);
    auto &        probs   = room(1, rows*b.keys());
    auto &        d_out   = room(2, rows*d_v);
    auto &        scores  = room(3, rows*b.keys());
    auto &        d_query = room(4, rows*d);
    gather(q, kv_head, b, scale, queries);
    gather(g, kv_head, b, 1.0f, d_out);
    probabilities(kv_head, b, queries.data(), probs.data());

    const gemm_matrix p  = matrix(probs.data(), b.keys(), 1);
    const gemm_matrix ds = matrix(scores.data(), b.keys(), 1);
    multiply(rows, b.keys(), d_v, matrix(d_out.data(), d_v, 1), transposed(values_of(kv_head, b)), scores.data(), b.keys(), false);
    for (int64_t r = 0; r < rows; ++r) {
        gemm_best().soft_max_gradient(probs.data() + r*b.keys(), scores.data() + r*b.keys(), b.keys());
    }
    float * dk = d_keys(dst) + (b.first*kv_heads + kv_head)*d;
    float * dv = d_values(dst) + (b.first*kv_heads + kv_head)*d_v;
    multiply(b.keys(), d_v, rows, transposed(p), matrix(d_out.data(), d_v, 1), dv, kv_heads*d_v, true);
    multiply(b.keys(), d, rows, transposed(ds), matrix(queries.data(), d, 1), dk, kv_heads*d, true);
    multiply(rows, d, b.keys(), ds, transposed(keys_of(kv_head, b)), d_query.data(), d, false);
    for (int64_t i = 0; i < b.rows(); ++i) {
        float * to = static_cast<float *>(dst->data) + ((b.begin + i)*heads + kv_head*group)*d;
        for (int64_t l = 0; l < group*d; ++l) {
            to[l] = d_query[i*group*d + l]*scale;
        }
    }
}

static void compute_forward(ggml_tensor * dst, int ith, int nth, void *) {
    worker        w(dst);
    const int64_t kv_heads = dst->src[1]->ne[2];
    for (int64_t i = ith; i < kv_heads*(int64_t) w.blocks().size(); i += nth) {
        w.forward(dst, i % kv_heads, w.blocks()[i/kv_heads]);
    }
}

// Blocks add to the same keys, one after the other, so that a thread takes whole heads.
static void compute_backward(ggml_tensor * dst, int ith, int nth, void *) {
    worker w(dst);
    for (int64_t kv_head = ith; kv_head < dst->src[1]->ne[2]; kv_head += nth) {
        w.clear(dst, kv_head);
        for (const block & b : w.blocks()) {
            w.backward(dst, dst->src[4], kv_head, b);
        }
    }
}

// --- in the graph -----------------------------------------------------------------------------------------------------

ggml_tensor * new_attention(ggml_context * ctx, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale) {
    ggml_tensor * args[] = { q, k, v, mask };
    ggml_tensor * t = ggml_custom_4d(ctx, GGML_TYPE_F32, v->ne[1], q->ne[2], q->ne[1], 1, args, 4, compute_forward, GGML_N_TASKS_MAX, nullptr);
    set_own_op(t, own_op::attention);
    set_own_param(t, 0, scale);
    return t;
}

bool is_attention(const ggml_tensor * t) { return own_op_of(t) == own_op::attention; }

// The three gradients, contiguous one after the other: [d, heads, n], [d, kv_heads, n], [d_v, kv_heads, n].
attention_gradients new_attention_gradients(ggml_context * ctx, const ggml_tensor * attention, ggml_tensor * g) {
    ggml_tensor * q = attention->src[0];
    ggml_tensor * k = attention->src[1];
    ggml_tensor * v = attention->src[2];
    ggml_tensor * args[] = { q, k, v, attention->src[3], ggml_permute(ctx, g, 0, 2, 1, 3) };
    ggml_tensor * all = ggml_custom_4d(ctx, GGML_TYPE_F32, ggml_nelements(q) + ggml_nelements(k) + ggml_nelements(v), 1, 1, 1, args, 5,
                                       compute_backward, GGML_N_TASKS_MAX, nullptr);
    set_own_op(all, own_op::attention_gradient);
    set_own_param(all, 0, own_param(attention, 0));

    size_t     offset = 0;
    const auto part   = [&](int64_t width, int64_t heads) {
        ggml_tensor * view = ggml_view_3d(ctx, all, width, heads, q->ne[1], width*sizeof(float), width*heads*sizeof(float), offset);
        offset += ggml_nbytes(view);
        return view;
    };
    ggml_tensor * dq = part(q->ne[0], q->ne[2]);
    ggml_tensor * dk = part(k->ne[0], k->ne[2]);
    ggml_tensor * dv = part(v->ne[1], v->ne[2]);
    return { ggml_permute(ctx, dq, 0, 2, 1, 3), ggml_permute(ctx, dk, 0, 2, 1, 3), ggml_permute(ctx, dv, 1, 2, 0, 3) };
}

}  // namespace lucifer
