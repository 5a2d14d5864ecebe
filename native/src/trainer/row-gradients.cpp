#include "row-gradients.h"

#include "gemm.h"
#include "own-op.h"

#include <cstring>

namespace lucifer {

static float * row_of(const ggml_tensor * t, int64_t row) {
    const int64_t i1 = row % t->ne[1];
    const int64_t i2 = row/t->ne[1] % t->ne[2];
    const int64_t i3 = row/t->ne[1]/t->ne[2];
    return reinterpret_cast<float *>(static_cast<char *>(t->data) + i1*t->nb[1] + i2*t->nb[2] + i3*t->nb[3]);
}

static void compute_rms_norm(ggml_tensor * dst, int ith, int nth, void *) {
    const ggml_tensor * g = dst->src[0];
    const ggml_tensor * x = dst->src[1];
    for (int64_t row = ith; row < ggml_nrows(dst); row += nth) {
        gemm_best().rms_norm_gradient(row_of(g, row), row_of(x, row), own_param(dst, 0), row_of(dst, row), dst->ne[0]);
    }
}

ggml_tensor * new_rms_norm_gradient(ggml_context * ctx, const ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * args[] = { g, y->src[0] };
    ggml_tensor * t = ggml_custom_4d(ctx, GGML_TYPE_F32, y->ne[0], y->ne[1], y->ne[2], y->ne[3], args, 2, compute_rms_norm, GGML_N_TASKS_MAX, nullptr);
    float epsilon;
    std::memcpy(&epsilon, y->op_params, sizeof(epsilon));
    set_own_op(t, own_op::rms_norm_gradient);
    set_own_param(t, 0, epsilon);
    return t;
}

// dst holds the gradient of x, and behind it that of up.
static void compute_swiglu(ggml_tensor * dst, int ith, int nth, void *) {
    const ggml_tensor * g     = dst->src[0];
    const ggml_tensor * x     = dst->src[1];
    const ggml_tensor * up    = dst->src[2];
    const int64_t       half  = dst->ne[0]/2;
    const int64_t       share = (half + nth - 1)/nth;
    const int64_t       begin = ith*share < half ? ith*share : half;
    const int64_t       count = half - begin < share ? half - begin : share;
    const auto          at    = [&](const ggml_tensor * t) { return static_cast<float *>(t->data) + begin; };
    gemm_best().swiglu_gradient(at(g), at(x), at(up), at(dst), at(dst) + half, count);
}

std::pair<ggml_tensor *, ggml_tensor *> new_swiglu_gradients(ggml_context * ctx, const ggml_tensor * y, ggml_tensor * g) {
    const int64_t n      = ggml_nelements(y);
    ggml_tensor * args[] = { g, y->src[0], y->src[1] };
    ggml_tensor * both   = ggml_custom_4d(ctx, GGML_TYPE_F32, 2*n, 1, 1, 1, args, 3, compute_swiglu, GGML_N_TASKS_MAX, nullptr);
    set_own_op(both, own_op::swiglu_gradient);
    const auto half = [&](int i) {
        return ggml_view_4d(ctx, both, y->ne[0], y->ne[1], y->ne[2], y->ne[3], y->nb[1], y->nb[2], y->nb[3], i*n*sizeof(float));
    };
    return { half(0), half(1) };
}

}  // namespace lucifer
