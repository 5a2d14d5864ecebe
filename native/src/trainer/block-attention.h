// Attention on a device, with a gradient, of plain operations on blocks of query rows: a block's scores are over the keys alone that its
// last row sees, as no row of a micro-batch sees a later one. Of four blocks these are 5/8 of all scores, in time and in memory.

#pragma once

#include "attention.h"

#include "ggml-backend.h"
#include "ggml.h"

#include <vector>

namespace lucifer {

class block_attention {
  public:
    // softmax(scale * q k^T + mask) v of q [d, n, heads], k [d, n_kv, kv_heads], v [n_kv, d_v, kv_heads], mask [n_kv, n], in blocks of so
    // many rows; n_kv >= n, and what is behind row i the mask hides from it.
    block_attention(ggml_context * ctx, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale, int64_t block_rows);

    ggml_tensor * result() const { return all; }  // [d_v, heads, n]

    // g: gradient that reached the result, contiguous. fuses: by SOFT_MAX_BACK, see autograd::fuse().
    attention_gradients gradients(ggml_context * ctx, ggml_tensor * g, bool fuses) const;

    ggml_tensor * q;
    ggml_tensor * k;
    ggml_tensor * v;

  private:
    struct block {
        int64_t       begin;  // query rows
        int64_t       rows;
        int64_t       keys;   // the first
        ggml_tensor * probabilities;  // [keys, rows, heads]
    };

    float              scale;
    std::vector<block> blocks;
    ggml_tensor *      all = nullptr;

    ggml_tensor * queries_of(ggml_context * ctx, const block & b) const;
    ggml_tensor * keys_of(ggml_context * ctx, const block & b) const;
    ggml_tensor * values_of(ggml_context * ctx, const block & b) const;
    ggml_tensor * by_kv_head(ggml_context * ctx, ggml_tensor * t) const;
};

// Whether the device has the products that its gradient takes.
bool supports_block_attention(ggml_backend_t device);

}  // namespace lucifer
