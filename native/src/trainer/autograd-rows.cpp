// Gradient rules of operations within rows: norms, softmax, rotation, clamping.

#include "autograd-rules.h"
#include "autograd.h"
#include "row-gradients.h"

#include <cstring>

namespace lucifer {

// y = x/rms; dx = (g - y*mean(g*y)) / sqrt(mean(x^2) + eps)
void autograd::rule_rms_norm(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * x   = y->src[0];
    const float   inv = 1.0f/x->ne[0];
    g = contiguous(g);
    if (kind == arithmetic::packed && x->nb[0] == sizeof(float)) {
        add(x, new_rms_norm_gradient(ctx, y, g));
        return;
    }
    if (fuses) {
        add(x, ggml_rms_norm_back(ctx, g, contiguous(x), param_f32(y, 0)));
        return;
    }
    ggml_tensor * mean_gy = ggml_scale(ctx, ggml_sum_rows(ctx, ggml_mul(ctx, g, y)), inv);
    ggml_tensor * rms     = ggml_sqrt(ctx, affine(ctx, ggml_sum_rows(ctx, ggml_sqr(ctx, contiguous(x))), inv, param_f32(y, 0)));
    add(x, ggml_div(ctx, ggml_sub(ctx, g, ggml_mul(ctx, y, mean_gy)), rms));
}

// y = (x - mean)/sd; dx = (g - mean(g) - y*mean(g*y)) / sqrt(var + eps)
void autograd::rule_norm(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * x   = contiguous(y->src[0]);
    const float   inv = 1.0f/x->ne[0];
    g = contiguous(g);
    ggml_tensor * mean_g   = ggml_scale(ctx, ggml_sum_rows(ctx, g), inv);
    ggml_tensor * mean_gy  = ggml_scale(ctx, ggml_sum_rows(ctx, ggml_mul(ctx, g, y)), inv);
    ggml_tensor * centered = ggml_sub(ctx, x, ggml_scale(ctx, ggml_sum_rows(ctx, x), inv));
    ggml_tensor * sd       = ggml_sqrt(ctx, affine(ctx, ggml_sum_rows(ctx, ggml_sqr(ctx, centered)), inv, param_f32(y, 0)));
    add(y->src[0], ggml_div(ctx, ggml_sub(ctx, ggml_sub(ctx, g, mean_g), ggml_mul(ctx, y, mean_gy)), sd));
}

// y = softmax(s*x + mask); dx = s*y*(g - sum(g*y)). Not SOFT_MAX_BACK where ggml-alloc letting its result alias y makes a kernel
// overwrite what it has not read yet, as the CPU's does.
void autograd::rule_soft_max(ggml_tensor * y, ggml_tensor * g) {
    add(y->src[0], soft_max_gradient(ctx, y, contiguous(g), param_f32(y, 0), fuses && param_f32(y, 1) == 0.0f));
}

ggml_tensor * soft_max_gradient(ggml_context * ctx, ggml_tensor * y, ggml_tensor * g, float scale, bool fuses) {
    if (fuses) {
        return ggml_soft_max_ext_back(ctx, g, y, scale, 0.0f);
    }
    ggml_tensor * gy = ggml_mul(ctx, g, y);
    return ggml_scale(ctx, ggml_sub(ctx, gy, ggml_mul(ctx, y, ggml_sum_rows(ctx, gy))), scale);
}

// A rotation's gradient is the rotation back.
void autograd::rule_rope(ggml_tensor * y, ggml_tensor * g) {
    const int32_t * p = y->op_params;
    int sections[4];
    std::memcpy(sections, p + 11, sizeof(sections));
    ggml_tensor * back =
        (p[2] & GGML_ROPE_TYPE_MROPE)
            ? ggml_rope_multi_back(ctx, contiguous(g), y->src[1], y->src[2], p[1], sections, p[2], p[4], param_f32(y, 5), param_f32(y, 6),
                                   param_f32(y, 7), param_f32(y, 8), param_f32(y, 9), param_f32(y, 10))
            : ggml_rope_ext_back(ctx, contiguous(g), y->src[1], y->src[2], p[1], p[2], p[4], param_f32(y, 5), param_f32(y, 6), param_f32(y, 7),
                                 param_f32(y, 8), param_f32(y, 9), param_f32(y, 10));
    add(y->src[0], back);
}

// 1 where lo < x < hi, else 0
void autograd::rule_clamp(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * x     = contiguous(y->src[0]);
    ggml_tensor * above = ggml_step(ctx, affine(ctx, x, 1.0f, -param_f32(y, 0)));
    ggml_tensor * below = ggml_step(ctx, affine(ctx, x, -1.0f, param_f32(y, 1)));
    add(y->src[0], ggml_mul(ctx, contiguous(g), ggml_mul(ctx, above, below)));
}

}  // namespace lucifer
