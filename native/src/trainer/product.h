// Matrix products as operations of a ggml graph that runs on the CPU, by gemm(); each is a sum of products, so that an adapter's
// part, and the gradients that meet in one tensor, are added where they arise.
//
// Shapes are ggml's, ne0 first: y [m, p] = a [n, m] b [n, p] stands for mul_mat(a, b). Dimensions 2 and 3 as there: b may have
// a multiple of a's matrices.

#pragma once

#include "ggml.h"

#include <vector>

namespace lucifer {

struct product_term {
    ggml_tensor * first;
    ggml_tensor * second;
    float         scale;
};

enum class product {
    none,
    forward,        // of a [n, m] and b [n, p]: y [m, p], as ggml_mul_mat
    gradient_of_b,  // of a [n, m] and g [m, p]: [n, p]
    gradient_of_a,  // of b [n, p] and g [m, p]: [n, m], summed over the matrices of b that share one of a
};

// Only `first` of forward and gradient_of_b may have another type than F32.
ggml_tensor * new_product(ggml_context * ctx, product form, const ggml_tensor * shape, const product_term & term);
ggml_tensor * copy_product(ggml_context * ctx, const ggml_tensor * t);

product                   product_form(const ggml_tensor * t);
std::vector<product_term> product_terms(const ggml_tensor * t);

// Moves the terms of `other`, times scale, into t; false when there is no room, or they are not sums of the same form.
bool merge_products(ggml_tensor * t, const ggml_tensor * other, float scale);

}  // namespace lucifer
