// Differentiation: which nodes need a gradient, how gradients add up, which rule is for which operation; and the rules that
// are one line, or only move values.

#include "autograd.h"

#include "attention.h"
#include "autograd-rules.h"
#include "block-attention.h"

#include <stdexcept>

namespace lucifer {

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

autograd::autograd(ggml_context * ctx, ggml_tensor * rows, arithmetic kind) : ctx(ctx), rows(rows), kind(kind) {}

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

void autograd::know(const block_attention & part) { blocks[part.result()] = &part; }

// A node needs a gradient when one of its sources does.
void autograd::mark_needed(const std::vector<ggml_tensor *> & nodes) {
    for (ggml_tensor * node : nodes) {
        const auto block = blocks.find(node);
        if (block != blocks.end() && (is_needed(block->second->q) || is_needed(block->second->k) || is_needed(block->second->v))) {
            needed.insert(node);
        }
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

ggml_tensor * autograd::for_product(ggml_tensor * w) {
    if (kind != arithmetic::mixed) {
        return dequantize(w);
    }
    return ggml_is_quantized(w->type) ? ggml_cast(ctx, dequantize(w), GGML_TYPE_BF16) : w;
}

ggml_tensor * autograd::contiguous(ggml_tensor * t) {
    return ggml_is_contiguous(t) ? t : kind == arithmetic::mixed ? gathered(ctx, t) : ggml_cont(ctx, t);
}

ggml_tensor * autograd::transposed(ggml_tensor * t) {
    return ggml_cont(ctx, ggml_transpose(ctx, t));
}

ggml_tensor * gathered(ggml_context * ctx, ggml_tensor * t) {
    return t->type == GGML_TYPE_F32 && t->nb[0] == sizeof(float) ? ggml_repeat(ctx, t, t) : ggml_cont(ctx, t);
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
    const auto block = blocks.find(y);
    if (block != blocks.end()) {
        rule_blocks(*block->second, g);
        return;
    }
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

// Row ids are distinct (chosen experts, output rows), so scattering needs no sum.
void autograd::rule_get_rows(ggml_tensor * y, ggml_tensor * g) {
    ggml_tensor * x = y->src[0];
    if (!is_needed(x)) {
        return;
    }
    ggml_tensor * zeros = ggml_fill(ctx, ggml_dup_tensor(ctx, x), 0.0f);
    add(x, ggml_set_rows(ctx, zeros, contiguous(g), y->src[1]));
}

}  // namespace lucifer
