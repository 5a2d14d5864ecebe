// What our own operations of a ggml graph (GGML_OP_CUSTOM) are, and their numbers. They run on the CPU.
//
// ggml keeps its part at the front of the parameters; ours stand at their end.

#pragma once

#include "ggml.h"

#include <cstring>

namespace lucifer {

enum class own_op : int32_t { none, product, attention, attention_gradient, rms_norm_gradient, swiglu_gradient };

const int OWN_PARAMS = 5;
const int OWN_FORM_AT = (int) (GGML_MAX_OP_PARAMS/sizeof(int32_t)) - OWN_PARAMS - 1;  // see product.h
const int OWN_OP_AT   = OWN_FORM_AT - 1;

inline own_op own_op_of(const ggml_tensor * t) { return t->op == GGML_OP_CUSTOM ? (own_op) t->op_params[OWN_OP_AT] : own_op::none; }
inline void   set_own_op(ggml_tensor * t, own_op op) { t->op_params[OWN_OP_AT] = (int32_t) op; }

inline float own_param(const ggml_tensor * t, int i) {
    float value;
    std::memcpy(&value, t->op_params + OWN_FORM_AT + 1 + i, sizeof(value));
    return value;
}

inline void set_own_param(ggml_tensor * t, int i, float value) { std::memcpy(t->op_params + OWN_FORM_AT + 1 + i, &value, sizeof(value)); }

}  // namespace lucifer
