// Gradient rules of matrix products and of attention.

#include "attention.h"
#include "autograd.h"
#include "block-attention.h"

namespace lucifer {

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
        a = for_product(w->second);
    } else if (a->op == GGML_OP_NONE) {
        a = for_product(a);
    }
    ggml_tensor * product = ggml_mul_mat(ctx, transposed(a), contiguous(g));
    if (a->type == GGML_TYPE_F16) {
        ggml_prec_set_acc(product, GGML_PREC_F32);  // gradients leave the range of F16, and so would sums
    }
    return product;
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
    if (!is_lora && kind == arithmetic::mixed) {
        return ggml_out_prod(ctx, b, g);  // scores are large, and a device multiplies by them as they lie
    }
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

void autograd::rule_blocks(const block_attention & part, ggml_tensor * g) {
    const attention_gradients d = part.gradients(ctx, contiguous(g), fuses);
    add(part.q, d.q);
    add(part.k, d.k);
    add(part.v, d.v);
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

}  // namespace lucifer
