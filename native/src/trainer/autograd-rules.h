// What the files of gradient rules share.

#pragma once

#include "ggml.h"

#include <cstring>

namespace lucifer {

inline float param_f32(const ggml_tensor * t, int i) {
    float v;
    std::memcpy(&v, reinterpret_cast<const char *>(t->op_params) + 4*i, sizeof(v));
    return v;
}

// x * s + b
inline ggml_tensor * affine(ggml_context * ctx, ggml_tensor * x, float s, float b) {
    return ggml_scale_bias(ctx, x, s, b);
}

// The activation within a gated unit; GGML_UNARY_OP_COUNT where there is no rule for it.
ggml_unary_op activation_of(ggml_glu_op op);
bool          has_unary_rule(ggml_unary_op op);

}  // namespace lucifer
