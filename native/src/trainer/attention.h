// Attention as one operation of a ggml graph that runs on the CPU: softmax(scale * q k^T + mask) v. Scores and probabilities exist for
// a block of query rows at a time, over the keys only that the mask lets these see: in causal attention half of them, in a pack of
// several samples those of each row's own. The backward pass makes them again.
//
// Shapes are ggml's, ne0 first, of n rows: q [d, n, heads], k [d, n, kv_heads], v [n, d_v, kv_heads], mask [n (key), n (query)], all with
// any strides but the mask, whose elements are finite or -inf, in each row some finite. kv_heads divides heads.

#pragma once

#include "ggml.h"

namespace lucifer {

// [d_v, heads, n]
ggml_tensor * new_attention(ggml_context * ctx, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale);

bool is_attention(const ggml_tensor * t);

struct attention_gradients {
    ggml_tensor * q;  // shaped as what they are gradients of
    ggml_tensor * k;
    ggml_tensor * v;
};

// g: gradient that reached the result, with any strides.
attention_gradients new_attention_gradients(ggml_context * ctx, const ggml_tensor * attention, ggml_tensor * g);

}  // namespace lucifer
