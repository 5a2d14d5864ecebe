// Reverse-mode differentiation of a ggml forward graph through ggml's public headers.
//
// ggml_build_backward_expand is not used: it lacks rules that language models need (SET_ROWS, NORM, GELU, GLU, MUL_MAT_ID …),
// ends the process on an operation that it does not know, and computes every matmul gradient by out_prod, the slowest form
// on CPU. Each rule here is written with plain operations that every backend has,
// but where the graph runs on the CPU alone.
//
// Symbols: y = op(a, b) with incoming gradient g, shaped as y; ne = [ne0, ne1, ne2, ne3], innermost first.

#pragma once

#include "arithmetic.h"
#include "product.h"

#include "ggml.h"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace lucifer {

class block_attention;

class autograd {
  public:
    // Gradient tensors are made in ctx (no_alloc). `rows`: an I32 leaf [n] = 0, 1, 2, … with n at least the largest number
    // of rows of a frozen weight, which is how a quantized weight is brought to F32 on every backend (GET_ROWS).
    // kind: packed where the graph runs on the CPU alone, so that rules of many plain operations may be one of our own.
    autograd(ggml_context * ctx, ggml_tensor * rows, arithmetic kind = arithmetic::exact);

    // Names the operation of the first node that has no rule here and lies between a wanted leaf and the end; "" if there is none.
    static std::string first_unsupported(const std::vector<ggml_tensor *> & nodes, const std::unordered_set<ggml_tensor *> & wanted);

    // The device has kernels of SOFT_MAX_BACK, RMS_NORM_BACK and SILU_BACK which may write over what they read: ggml-alloc lets their
    // result take the place of a source.
    void fuse(bool can) { fuses = can; }

    // The forward graph's attention in blocks, whose inner nodes are not among those of run(). It must outlive that.
    void know(const block_attention & part);

    void want(ggml_tensor * leaf) { needed.insert(leaf); }
    void seed(ggml_tensor * node, ggml_tensor * grad) { grads[node] = grad; }

    // nodes: the forward graph in topological order; seeds and wanted leaves are set before.
    void run(const std::vector<ggml_tensor *> & nodes);

    // Contiguous gradient of a wanted leaf or node; nullptr when nothing reached it.
    ggml_tensor * gradient(ggml_tensor * t) const;

    // The frozen weight w as an F32 expression, [ne0, ne1] or [ne0, ne1, ne2]; w itself when it is F32.
    ggml_tensor * dequantize(ggml_tensor * w);

    // The same as products read it: with mixed arithmetic in 16 bits, a quantized weight as BF16, whose range is that of gradients.
    ggml_tensor * for_product(ggml_tensor * w);

    // Tells that `expression` stands for frozen weight w in the forward graph, so that the backward pass makes a new one
    // instead of keeping the expression's memory alive from the forward to the backward pass.
    void stands_for(ggml_tensor * expression, ggml_tensor * w) { weight_of[expression] = w; }

  private:
    ggml_context * ctx;
    ggml_tensor *  rows;
    arithmetic     kind;
    bool           fuses = false;

    std::unordered_map<ggml_tensor *, ggml_tensor *> grads;
    std::unordered_map<ggml_tensor *, ggml_tensor *> weight_of;
    std::unordered_map<ggml_tensor *, const block_attention *> blocks;  // by their results
    std::unordered_map<ggml_tensor *, ggml_tensor *> sums;  // tensor -> a product that was made for its gradient alone
    std::unordered_set<ggml_tensor *>                needed;

    bool is_needed(ggml_tensor * t) const { return t != nullptr && needed.count(t) != 0; }

    void          mark_needed(const std::vector<ggml_tensor *> & nodes);
    void          add(ggml_tensor * t, ggml_tensor * grad);
    void          apply_rule(ggml_tensor * y, ggml_tensor * g);
    ggml_tensor * contiguous(ggml_tensor * t);
    ggml_tensor * transposed(ggml_tensor * t);
    ggml_tensor * sum_to_shape_of(ggml_tensor * grad, ggml_tensor * t);

    void          rule_view(ggml_tensor * y, ggml_tensor * g);
    void          rule_permute(ggml_tensor * y, ggml_tensor * g);
    void          rule_concat(ggml_tensor * y, ggml_tensor * g);
    void          rule_mul_mat(ggml_tensor * y, ggml_tensor * g);
    void          rule_product(ggml_tensor * y, ggml_tensor * g);
    void          rule_attention(ggml_tensor * y, ggml_tensor * g);
    void          rule_blocks(const block_attention & part, ggml_tensor * g);
    void          add_product(ggml_tensor * t, product form, const product_term & term);
    void          rule_mul_mat_id(ggml_tensor * y, ggml_tensor * g);
    void          rule_rms_norm(ggml_tensor * y, ggml_tensor * g);
    void          rule_norm(ggml_tensor * y, ggml_tensor * g);
    void          rule_soft_max(ggml_tensor * y, ggml_tensor * g);
    void          rule_rope(ggml_tensor * y, ggml_tensor * g);
    void          rule_clamp(ggml_tensor * y, ggml_tensor * g);
    void          rule_get_rows(ggml_tensor * y, ggml_tensor * g);
    void          rule_glu(ggml_tensor * y, ggml_tensor * g);
    ggml_tensor * unary_gradient(ggml_unary_op op, ggml_tensor * x, ggml_tensor * y, ggml_tensor * g);
    ggml_tensor * matmul_gradient_of_b(ggml_tensor * a, ggml_tensor * g);
    ggml_tensor * matmul_gradient_of_a(ggml_tensor * a, ggml_tensor * b, ggml_tensor * g);
};

// t, contiguous. Of rows that lie apart by REPEAT, once: CUDA's kernel for it moves four times as many bytes a second as that of CONT.
ggml_tensor * gathered(ggml_context * ctx, ggml_tensor * t);

// Of y = softmax(scale * x + mask) with respect to x; g and y contiguous. fuses: see autograd::fuse().
ggml_tensor * soft_max_gradient(ggml_context * ctx, ggml_tensor * y, ggml_tensor * g, float scale, bool fuses);

}  // namespace lucifer
