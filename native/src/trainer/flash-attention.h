// Attention on a device where no gradient is asked for: ggml's FLASH_ATTN_EXT, which keeps no scores.

#pragma once

#include "trace.h"

#include "ggml-backend.h"
#include "ggml.h"

namespace lucifer {

// softmax(scale * q k^T + mask) v as [d_v, heads, n], for q [d, n, heads], k [d, n_kv, kv_heads], v [n_kv, d_v, kv_heads], mask [n_kv, n].
// Keys, values and mask are read as F16, sums are F32.
ggml_tensor * new_flash_attention(ggml_context * ctx, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale);

// Whether the device computes every attention that was found in the graph.
bool supports_flash_attention(const trace & traced, ggml_backend_t device);

}  // namespace lucifer
