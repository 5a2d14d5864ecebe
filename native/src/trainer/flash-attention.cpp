#include "flash-attention.h"

#include "ggml-cpp.h"

#include <algorithm>

namespace lucifer {

ggml_tensor * new_flash_attention(ggml_context * ctx, ggml_tensor * q, ggml_tensor * k, ggml_tensor * v, ggml_tensor * mask, float scale) {
    const auto    half = [&](ggml_tensor * t) { return ggml_cast(ctx, t, GGML_TYPE_F16); };
    ggml_tensor * t    = ggml_flash_attn_ext(ctx, q, half(k), half(ggml_transpose(ctx, v)), half(mask), scale, 0.0f, 0.0f);
    ggml_prec_set_acc(t, GGML_PREC_F32);
    return t;
}

bool supports_flash_attention(const trace & traced, ggml_backend_t device) {
    const auto supports = [&](const auto & found) {
        const auto & [result, part] = found;
        const ggml_context_ptr ctx(ggml_init({ 16*ggml_tensor_overhead(), nullptr, true }));
        const auto like = [&](const ggml_tensor * t) { return ggml_new_tensor(ctx.get(), GGML_TYPE_F32, GGML_MAX_DIMS, t->ne); };
        return ggml_backend_supports_op(device, new_flash_attention(ctx.get(), like(part.scores->src[1]), like(part.scores->src[0]),
                                                                    like(result->src[0]), like(part.probabilities->src[1]), 1.0f));
    };
    const auto & all = traced.attentions();
    return !all.empty() && std::all_of(all.begin(), all.end(), supports);
}

}  // namespace lucifer
