// Gradient rules of activations, also gated ones.

#include "autograd-rules.h"
#include "autograd.h"
#include "row-gradients.h"

#include <stdexcept>
#include <string>

namespace lucifer {

bool has_unary_rule(ggml_unary_op op) {
    switch (op) {
        case GGML_UNARY_OP_NEG:
        case GGML_UNARY_OP_TANH:
        case GGML_UNARY_OP_SIGMOID:
        case GGML_UNARY_OP_RELU:
        case GGML_UNARY_OP_EXP:
        case GGML_UNARY_OP_SILU:
        case GGML_UNARY_OP_GELU:
        case GGML_UNARY_OP_GELU_ERF:
        case GGML_UNARY_OP_GELU_QUICK:
        case GGML_UNARY_OP_SOFTPLUS:
            return true;
        default:
            return false;
    }
}

ggml_unary_op activation_of(ggml_glu_op op) {
    switch (op) {
        case GGML_GLU_OP_REGLU:       return GGML_UNARY_OP_RELU;
        case GGML_GLU_OP_GEGLU:       return GGML_UNARY_OP_GELU;
        case GGML_GLU_OP_SWIGLU:      return GGML_UNARY_OP_SILU;
        case GGML_GLU_OP_GEGLU_ERF:   return GGML_UNARY_OP_GELU_ERF;
        case GGML_GLU_OP_GEGLU_QUICK: return GGML_UNARY_OP_GELU_QUICK;
        default:                      return GGML_UNARY_OP_COUNT;
    }
}

// y = act(gate)*up; gate and up are two tensors, or the halves of one (fused; op_params[1]: the second half is the gate).
void autograd::rule_glu(ggml_tensor * y, ggml_tensor * g) {
    const ggml_unary_op act = activation_of(ggml_get_glu_op(y));
    ggml_tensor *       a   = y->src[0];
    ggml_tensor *       b   = y->src[1];
    g = contiguous(g);

    if (kind == arithmetic::packed && b != nullptr && act == GGML_UNARY_OP_SILU && ggml_is_contiguous(a) && ggml_is_contiguous(b)) {
        const auto [da, db] = new_swiglu_gradients(ctx, y, g);
        add(a, da);
        add(b, db);
        return;
    }
    if (b != nullptr) {
        ggml_tensor * act_a = ggml_unary(ctx, contiguous(a), act);
        if (is_needed(b)) { add(b, ggml_mul(ctx, g, act_a)); }
        if (is_needed(a)) { add(a, unary_gradient(act, a, act_a, ggml_mul(ctx, g, b))); }
        return;
    }
    const int64_t n    = a->ne[0]/2;
    const bool    swap = y->op_params[1] != 0;
    const auto    half = [&](int i) {
        return ggml_cont(ctx, ggml_view_4d(ctx, a, n, a->ne[1], a->ne[2], a->ne[3], a->nb[1], a->nb[2], a->nb[3], i*n*a->nb[0]));
    };
    ggml_tensor * gate  = half(swap ? 1 : 0);
    ggml_tensor * up    = half(swap ? 0 : 1);
    ggml_tensor * act_g = ggml_unary(ctx, gate, act);
    ggml_tensor * d_up  = ggml_mul(ctx, g, act_g);
    ggml_tensor * d_gate = unary_gradient(act, gate, act_g, ggml_mul(ctx, g, up));
    add(a, swap ? ggml_concat(ctx, d_up, d_gate, 0) : ggml_concat(ctx, d_gate, d_up, 0));
}

// g * d act(x)/dx, with y = act(x)
ggml_tensor * autograd::unary_gradient(ggml_unary_op op, ggml_tensor * x, ggml_tensor * y, ggml_tensor * g) {
    x = contiguous(x);
    switch (op) {
        case GGML_UNARY_OP_NEG:
            return ggml_neg(ctx, g);
        case GGML_UNARY_OP_EXP:
            return ggml_mul(ctx, g, y);
        case GGML_UNARY_OP_RELU:
            return ggml_mul(ctx, g, ggml_step(ctx, x));
        case GGML_UNARY_OP_TANH:
            return ggml_mul(ctx, g, affine(ctx, ggml_sqr(ctx, y), -1.0f, 1.0f));
        case GGML_UNARY_OP_SIGMOID:
            return ggml_mul(ctx, g, ggml_mul(ctx, y, affine(ctx, y, -1.0f, 1.0f)));
        case GGML_UNARY_OP_SOFTPLUS:
            return ggml_mul(ctx, g, ggml_sigmoid(ctx, x));
        case GGML_UNARY_OP_SILU: {  // s + y*(1 - s), s = sigmoid(x)
            if (fuses) {
                return ggml_silu_back(ctx, g, x);
            }
            ggml_tensor * s = ggml_sigmoid(ctx, x);
            return ggml_mul(ctx, g, ggml_add(ctx, s, ggml_mul(ctx, y, affine(ctx, s, -1.0f, 1.0f))));
        }
        case GGML_UNARY_OP_GELU_QUICK: {  // s + 1.702*x*s*(1 - s), s = sigmoid(1.702*x)
            ggml_tensor * z = ggml_scale(ctx, x, 1.702f);
            ggml_tensor * s = ggml_sigmoid(ctx, z);
            return ggml_mul(ctx, g, ggml_add(ctx, s, ggml_mul(ctx, z, ggml_mul(ctx, s, affine(ctx, s, -1.0f, 1.0f)))));
        }
        case GGML_UNARY_OP_GELU: {  // t = tanh(k*x*(1 + q*x^2)); (1 + t)/2 + x*(1 - t^2)*k*(1 + 3*q*x^2)/2
            const float   k  = 0.79788456080286535588f;
            const float   q  = 0.044715f;
            ggml_tensor * x2 = ggml_sqr(ctx, x);
            ggml_tensor * t  = ggml_tanh(ctx, ggml_mul(ctx, x, affine(ctx, x2, k*q, k)));
            ggml_tensor * slope = ggml_mul(ctx, ggml_mul(ctx, x, affine(ctx, x2, 1.5f*k*q, 0.5f*k)), affine(ctx, ggml_sqr(ctx, t), -1.0f, 1.0f));
            return ggml_mul(ctx, g, ggml_add(ctx, affine(ctx, t, 0.5f, 0.5f), slope));
        }
        case GGML_UNARY_OP_GELU_ERF: {  // Phi(x) + x*phi(x); erf by Abramowitz and Stegun 7.1.26, error below 1.5e-7
            ggml_tensor * z    = ggml_scale(ctx, ggml_abs(ctx, x), 0.70710678118f);
            ggml_tensor * e    = ggml_exp(ctx, ggml_scale(ctx, ggml_sqr(ctx, x), -0.5f));
            ggml_tensor * ones = affine(ctx, z, 0.0f, 1.0f);
            ggml_tensor * t    = ggml_div(ctx, ones, affine(ctx, z, 0.3275911f, 1.0f));
            ggml_tensor * p    = affine(ctx, t, 1.061405429f, -1.453152027f);
            p = affine(ctx, ggml_mul(ctx, p, t), 1.0f, 1.421413741f);
            p = affine(ctx, ggml_mul(ctx, p, t), 1.0f, -0.284496736f);
            p = affine(ctx, ggml_mul(ctx, p, t), 1.0f, 0.254829592f);
            ggml_tensor * erf = affine(ctx, ggml_mul(ctx, ggml_mul(ctx, p, t), e), -1.0f, 1.0f);
            ggml_tensor * cdf = affine(ctx, ggml_mul(ctx, erf, ggml_sgn(ctx, x)), 0.5f, 0.5f);
            return ggml_mul(ctx, g, ggml_add(ctx, cdf, ggml_mul(ctx, x, ggml_scale(ctx, e, 0.39894228040f))));
        }
        default:
            throw std::logic_error(std::string("no gradient rule for ") + ggml_unary_op_name(op));
    }
}

}  // namespace lucifer
