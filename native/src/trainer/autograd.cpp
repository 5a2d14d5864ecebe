#include "autograd.h"

#include "attention.h"
#include "row-gradients.h"

#include <cstring>
#include <stdexcept>

namespace lucifer {

static float param_f32(const ggml_tensor * t, int i) {
    float v;
    std::memcpy(&v, reinterpret_cast<const char *>(t->op_params) + 4*i, sizeof(v));
    return v;
}

// x * s + b
static ggml_tensor * affine(ggml_context * ctx, ggml_tensor * x, float s, float b) {
    return ggml_scale_bias(ctx, x, s, b);
}

static bool has_unary_rule(ggml_unary_op op) {
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

static ggml_unary_op activation_of(ggml_glu_op op) {
    switch (op) {
        case GGML_GLU_OP_REGLU:       return GGML_UNARY_OP_RELU;
        case GGML_GLU_OP_GEGLU:       return GGML_UNARY_OP_GELU;
        case GGML_GLU_OP_SWIGLU:      return GGML_UNARY_OP_SILU;
        case GGML_GLU_OP_GEGLU_ERF:   return GGML_UNARY_OP_GELU_ERF;
        case GGML_GLU_OP_GEGLU_QUICK: return GGML_UNARY_OP_GELU_QUICK;
        default:                      return GGML_UNARY_OP_COUNT;
    }
}

static bool has_rule(const ggml_tensor * t) {
    switch (t->op) {
        case GGML_OP_NONE:
        case GGML_OP_ADD:
        case GGML_OP_SUB:
        case GGML_OP_MUL:
        case GGML_OP_DIV:
        case GGML_OP_SQR:
        case GGML_OP_SQRT:
        case GGML_OP_SUM_ROWS:
        case GGML_OP_REPEAT:
        case GGML_OP_SCALE:
        case GGML_OP_RESHAPE:
        case GGML_OP_CONT:
        case GGML_OP_VIEW:
        case GGML_OP_PERMUTE:
        case GGML_OP_TRANSPOSE:
        case GGML_OP_CONCAT:
        case GGML_OP_PAD:
        case GGML_OP_MUL_MAT:
        case GGML_OP_MUL_MAT_ID:
        case GGML_OP_RMS_NORM:
        case GGML_OP_NORM:
        case GGML_OP_ROPE:
        case GGML_OP_CLAMP:
        case GGML_OP_GET_ROWS:
        case GGML_OP_ARGSORT:
        case GGML_OP_TOP_K:
            return true;
        case GGML_OP_CUSTOM:
            return product_form(t) == product::forward || is_attention(t);
        case GGML_OP_SOFT_MAX:
            return t->src[2] == nullptr;  // attention sinks have no rule
        case GGML_OP_UNARY:
            return has_unary_rule(ggml_get_unary_op(t));
        case GGML_OP_GLU:
            return activation_of(ggml_get_glu_op(t)) != GGML_UNARY_OP_COUNT;
        default:
            return false;
    }
}

autograd::autograd(ggml_context * ctx, ggml_tensor * rows, bool on_cpu) : ctx(ctx), rows(rows), on_cpu(on_cpu) {}

std::string autograd::first_unsupported(const std::vector<ggml_tensor *> & nodes, const std::unordered_set<ggml_tensor *> & wanted) {
    std::unordered_set<ggml_tensor *> reached = wanted;
    for (ggml_tensor * node : nodes) {
        for (ggml_tensor * src : node->src) {
            if (src != nullptr && reached.count(src) != 0) {
                if (!has_rule(node)) {
                    return std::string(ggml_op_desc(node)) + " of tensor " + node->name;
                }
                reached.insert(node);
                break;
            }
        }
    }
    return "";
}

void autograd::run(const std::vector<ggml_tensor *> & nodes) {
    mark_needed(nodes);
    for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
        const auto g = grads.find(*it);
        if (g != grads.end() && is_needed(*it)) {
            apply_rule(*it, g->second);
        }
    }
}

// A node needs a gradient when one of its sources does.
void autograd::mark_needed(const std::vector<ggml_tensor *> & nodes) {
    for (ggml_tensor * node : nodes) {
        for (ggml_tensor * src : node->src) {
            if (is_needed(src)) {
                needed.insert(node);
                break;
            }
        }
    }
}

ggml_tensor * autograd::gradient(ggml_tensor * t) const {
    const auto it = grads.find(t);
    if (it == grads.end()) {
        return nullptr;
    }
    return ggml_is_contiguous(it->second) ? it->second : ggml_cont(ctx, it->second);
}

ggml_tensor * autograd::dequantize(ggml_tensor * w) {
    if (w->type == GGML_TYPE_F32) {
        return w;
    }
    if (ggml_is_quantized(w->type) && ggml_n_dims(w) <= 2) {
        return ggml_get_rows(ctx, w, ggml_view_1d(ctx, rows, w->ne[1], 0));
    }
    return ggml_cast(ctx, w, GGML_TYPE_F32);
}

ggml_tensor * autograd::contiguous(ggml_tensor * t) {
    return ggml_is_contiguous(t) ? t : ggml_cont(ctx, t);
}

ggml_tensor * autograd::transposed(ggml_tensor * t) {
    return ggml_cont(ctx, ggml_transpose(ctx, t));
}

// Sums the gradient of a broadcast operand over the dimensions along which it was repeated.
ggml_tensor * autograd::sum_to_shape_of(ggml_tensor * grad, ggml_tensor * t) {
    return ggml_are_same_shape(grad, t) ? grad : ggml_repeat_back(ctx, contiguous(grad), t);
}

void autograd::add(ggml_tensor * t, ggml_tensor * grad) {
    if (!is_needed(t)) {
        return;
    }
    if (!ggml_are_same_shape(t, grad)) {
        throw std::logic_error(std::string("gradient of ") + t->name + " (" + ggml_op_name(t->op) + ") has another shape than the tensor");
    }
    const auto it = grads.find(t);
    if (it == grads.end()) {
        grads[t] = grad;
    } else {
        it->second = ggml_add(ctx, contiguous(it->second), contiguous(grad));
    }
}

void autograd::apply_rule(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * a = y->src[0];
    ggml_tensor * b = y->src[1];

    switch (y->op) {
        case GGML_OP_NONE:
        case GGML_OP_ARGSORT:  // integer results carry no gradient
        case GGML_OP_TOP_K:
            break;
        case GGML_OP_ADD:
            add(a, g);
            if (is_needed(b)) { add(b, sum_to_shape_of(g, b)); }
            break;
        case GGML_OP_SUB:
            add(a, g);
            if (is_needed(b)) { add(b, ggml_neg(ctx, sum_to_shape_of(contiguous(g), b))); }
            break;
        case GGML_OP_MUL:
            if (is_needed(a)) { add(a, ggml_mul(ctx, contiguous(g), b)); }
            if (is_needed(b)) { add(b, sum_to_shape_of(ggml_mul(ctx, contiguous(g), a), b)); }
            break;
        case GGML_OP_DIV:  // d(a/b)/db = -y/b
            if (is_needed(a)) { add(a, ggml_div(ctx, contiguous(g), b)); }
            if (is_needed(b)) { add(b, ggml_neg(ctx, sum_to_shape_of(ggml_mul(ctx, contiguous(g), ggml_div(ctx, y, b)), b))); }
            break;
        case GGML_OP_SQR:
            add(a, ggml_scale(ctx, ggml_mul(ctx, contiguous(g), a), 2.0f));
            break;
        case GGML_OP_SQRT:
            add(a, ggml_scale(ctx, ggml_div(ctx, contiguous(g), y), 0.5f));
            break;
        case GGML_OP_SUM_ROWS:
            add(a, ggml_repeat(ctx, contiguous(g), a));
            break;
        case GGML_OP_REPEAT:
            add(a, sum_to_shape_of(g, a));
            break;
        case GGML_OP_SCALE:
            add(a, ggml_scale(ctx, contiguous(g), param_f32(y, 0)));
            break;
        case GGML_OP_RESHAPE:
        case GGML_OP_CONT:
            add(a, ggml_reshape(ctx, contiguous(g), a));
            break;
        case GGML_OP_TRANSPOSE:
            add(a, ggml_transpose(ctx, g));
            break;
        case GGML_OP_UNARY:
            add(a, unary_gradient(ggml_get_unary_op(y), a, y, contiguous(g)));
            break;
        case GGML_OP_PAD:  // at the end of each dimension
            g = contiguous(g);
            add(a, ggml_cont(ctx, ggml_view_4d(ctx, g, a->ne[0], a->ne[1], a->ne[2], a->ne[3], g->nb[1], g->nb[2], g->nb[3], 0)));
            break;
        case GGML_OP_VIEW:       rule_view(y, g);       break;
        case GGML_OP_PERMUTE:    rule_permute(y, g);    break;
        case GGML_OP_CONCAT:     rule_concat(y, g);     break;
        case GGML_OP_MUL_MAT:    rule_mul_mat(y, g);    break;
        case GGML_OP_MUL_MAT_ID: rule_mul_mat_id(y, g); break;
        case GGML_OP_CUSTOM:     is_attention(y) ? rule_attention(y, g) : rule_product(y, g); break;
        case GGML_OP_RMS_NORM:   rule_rms_norm(y, g);   break;
        case GGML_OP_NORM:       rule_norm(y, g);       break;
        case GGML_OP_SOFT_MAX:   rule_soft_max(y, g);   break;
        case GGML_OP_ROPE:       rule_rope(y, g);       break;
        case GGML_OP_CLAMP:      rule_clamp(y, g);      break;
        case GGML_OP_GET_ROWS:   rule_get_rows(y, g);   break;
        case GGML_OP_GLU:        rule_glu(y, g);        break;
        default:
            throw std::logic_error(std::string("no gradient rule for ") + ggml_op_desc(y));
    }
}

// Scatters into a zero tensor shaped as the view's root: strides and offset of a view are absolute in its root, so going
// through an intermediate strided view would be wrong.
void autograd::rule_view(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * root = y->view_src;
    if (!is_needed(root)) {
        return;
    }
    if (ggml_is_contiguous(y) && ggml_are_same_shape(y, root) && ggml_is_contiguous(root)) {  // all of it
        add(root, g);
        return;
    }
    ggml_tensor * zeros = ggml_fill(ctx, ggml_dup_tensor(ctx, root), 0.0f);
    add(root, ggml_acc(ctx, zeros, contiguous(g), y->nb[1], y->nb[2], y->nb[3], y->view_offs));
}

void autograd::rule_permute(ggml_tensor * y, ggml_tensor * g) {
    int inverse[4];
    for (int i = 0; i < 4; ++i) {
        inverse[y->op_params[i]] = i;
    }
    add(y->src[0], ggml_permute(ctx, g, inverse[0], inverse[1], inverse[2], inverse[3]));
}

void autograd::rule_concat(ggml_tensor * y, ggml_tensor * g) {
    const int dim = y->op_params[0];
    g = contiguous(g);
    size_t offset = 0;
    for (ggml_tensor * part : { y->src[0], y->src[1] }) {
        if (is_needed(part)) {
            add(part, ggml_cont(ctx, ggml_view_4d(ctx, g, part->ne[0], part->ne[1], part->ne[2], part->ne[3], g->nb[1], g->nb[2], g->nb[3], offset)));
        }
        offset += part->ne[dim]*g->nb[dim];
    }
}

// y [m, p] = a [n, m]^T b [n, p], in every matrix of dims 2 and 3; a is repeated over dim 2 for grouped-query attention.
void autograd::rule_mul_mat(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * a = y->src[0];
    ggml_tensor * b = y->src[1];
    if (is_needed(b)) {
        add(b, matmul_gradient_of_b(a, g));
    }
    if (is_needed(a)) {
        add(a, matmul_gradient_of_a(a, b, g));
    }
}

// db [n, p] = (a^T)^T g, by a transposed copy: mul_mat is three times as fast as out_prod on CPU.
ggml_tensor * autograd::matmul_gradient_of_b(ggml_tensor * a, ggml_tensor * g) {
    const auto w = weight_of.find(a);
    if (w != weight_of.end()) {
        a = dequantize(w->second);
    } else if (a->op == GGML_OP_NONE) {
        a = dequantize(a);
    }
    return ggml_mul_mat(ctx, transposed(a), contiguous(g));
}

// da [n, m] = sum over p of b [n, p] g [m, p]; query heads that share a key head (dim 2) add up, so they are laid side by side.
ggml_tensor * autograd::matmul_gradient_of_a(ggml_tensor * a, ggml_tensor * b, ggml_tensor * g) {
    b = contiguous(b);
    g = contiguous(g);
    const int64_t group = b->ne[2]/a->ne[2];
    if (group > 1) {
        b = ggml_reshape_4d(ctx, b, b->ne[0], b->ne[1]*group, a->ne[2], b->ne[3]);
        g = ggml_reshape_4d(ctx, g, g->ne[0], g->ne[1]*group, a->ne[2], g->ne[3]);
    }
    const bool is_lora = a->op == GGML_OP_NONE;
    if (!is_lora) {
        return ggml_mul_mat(ctx, transposed(b), transposed(g));
    }
    // One side of a LoRA matrix is the rank: out_prod beats the two transposed copies when the long side comes first.
    return a->ne[0] >= a->ne[1] ? ggml_out_prod(ctx, b, g) : transposed(ggml_out_prod(ctx, g, b));
}

// Each term is a mul_mat; operands are read where they lie, whatever their strides.
void autograd::rule_product(ggml_tensor * y, ggml_tensor * g) {
    for (const product_term & term : product_terms(y)) {
        add_product(term.second, product::gradient_of_b, { term.first, g, term.scale });
        add_product(term.first, product::gradient_of_a, { term.second, g, term.scale });
    }
}

void autograd::rule_attention(ggml_tensor * y, ggml_tensor * g) {
    const attention_gradients d = new_attention_gradients(ctx, y, g);
    add(y->src[0], d.q);
    add(y->src[1], d.k);
    add(y->src[2], d.v);
}

// Adds a product to the gradient of t, within the product that is there already where nothing else can have read that.
void autograd::add_product(ggml_tensor * t, product form, const product_term & term) {
    if (!is_needed(t)) {
        return;
    }
    ggml_tensor * made = new_product(ctx, form, t, term);
    const auto    sum  = sums.find(t);
    if (sum != sums.end() && grads.at(t) == sum->second && merge_products(sum->second, made, 1.0f)) {
        return;
    }
    if (grads.count(t) == 0) {
        sums[t] = made;
    }
    add(t, made);
}

// Frozen experts a [n, m, n_expert]: y [m, n_used, n_tokens] = a[ids]^T b, b [n, n_used or 1, n_tokens].
void autograd::rule_mul_mat_id(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * b = y->src[1];
    if (!is_needed(b)) {
        return;
    }
    const auto    w  = weight_of.find(y->src[0]);
    ggml_tensor * a  = dequantize(w != weight_of.end() ? w->second : y->src[0]);
    ggml_tensor * at = ggml_cont(ctx, ggml_permute(ctx, a, 1, 0, 2, 3));
    add(b, sum_to_shape_of(ggml_mul_mat_id(ctx, at, contiguous(g), y->src[2]), b));
}

// y = x/rms; dx = (g - y*mean(g*y)) / sqrt(mean(x^2) + eps)
void autograd::rule_rms_norm(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * x   = y->src[0];
    const float   inv = 1.0f/x->ne[0];
    g = contiguous(g);
    if (on_cpu && x->nb[0] == sizeof(float)) {
        add(x, new_rms_norm_gradient(ctx, y, g));
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

// y = softmax(s*x + mask); dx = s*y*(g - sum(g*y)). Not SOFT_MAX_BACK: ggml-alloc may let its result alias y, which the CPU
// kernel then overwrites before reading.
void autograd::rule_soft_max(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * gy = ggml_mul(ctx, contiguous(g), y);
    add(y->src[0], ggml_scale(ctx, ggml_sub(ctx, gy, ggml_mul(ctx, y, ggml_sum_rows(ctx, gy))), param_f32(y, 0)));
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

// Row ids are distinct (chosen experts, output rows), so scattering needs no sum.
void autograd::rule_get_rows(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * x = y->src[0];
    if (!is_needed(x)) {
        return;
    }
    ggml_tensor * zeros = ggml_fill(ctx, ggml_dup_tensor(ctx, x), 0.0f);
    add(x, ggml_set_rows(ctx, zeros, contiguous(g), y->src[1]));
}

// y = act(gate)*up; gate and up are two tensors, or the halves of one (fused; op_params[1]: the second half is the gate).
void autograd::rule_glu(ggml_tensor * y, ggml_tensor * g) {
    const ggml_unary_op act = activation_of(ggml_get_glu_op(y));
    ggml_tensor *       a   = y->src[0];
    ggml_tensor *       b   = y->src[1];
    g = contiguous(g);

    if (on_cpu && b != nullptr && act == GGML_UNARY_OP_SILU && ggml_is_contiguous(a) && ggml_is_contiguous(b)) {
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
