// Products of F32 matrices on the CPU, one side of which may be stored in any of ggml's types: it is brought to F32 block by
// block while it is packed, so that no F32 copy of a weight is ever made.
//
// ggml's own F32 product wants both operands contiguous along the summed dimension and does not pack them, so that a backward
// pass through it needs transposed copies; this one takes any strides.

#pragma once

#include "ggml.h"

#include <cstdint>

namespace lucifer {

// Element (i, j) is data[i*stride_i + j*stride_j]; or, with to_float, an element of a stored row that only to_float can read.
struct gemm_matrix {
    const void *    data;
    int64_t         stride_i;
    int64_t         stride_j;
    ggml_to_float_t to_float;     // nullptr: F32
    int64_t         row_bytes;    // from one stored row to the next
    int64_t         block;        // elements that are stored together,
    int64_t         block_bytes;  // in so many bytes
    bool            row_is_i;     // a stored row has one i and runs along j, else the other way round
};

// c [m, n] = (add ? c : 0) + scale * a [m, k] b [k, n]; rows of c are ldc apart, their elements side by side.
// Each element is summed in the same order however a product is divided, so results do not depend on the number of threads.
struct gemm_problem {
    int64_t     m, n, k;
    gemm_matrix a;  // F32
    gemm_matrix b;
    float *     c;
    int64_t     ldc;
    float       scale;
    bool        add;
};

// Numbers of one AdamW step, the same for all elements.
struct adamw_step {
    float gradient_scale;
    float beta1;
    float beta2;
    float epsilon;
    float decay;        // 1 - learning rate * weight decay
    float size;         // learning rate / (1 - beta1^t)
    float correction2;  // sqrt(1 - beta2^t)
};

// One compilation of the kernels, for one level of instruction set.
struct gemm_kernel {
    void (*run)(const gemm_problem & p, float * scratch);
    int64_t scratch;  // floats
    int64_t rows;     // c is best divided at multiples of these
    int64_t columns;
    void (*from_f16)(const void * from, float * to, int64_t n);

    // see rows-kernel.h
    void (*soft_max)(float * row, const float * mask, int64_t n);
    void (*soft_max_gradient)(const float * y, float * g, int64_t n);
    void (*rms_norm_gradient)(const float * g, const float * x, float epsilon, float * dx, int64_t n);
    void (*swiglu_gradient)(const float * g, const float * x, const float * up, float * dx, float * d_up, int64_t n);
    void (*adamw)(const adamw_step & step, const float * g, float * w, float * m, float * v, int64_t n);
    double (*sum_of_squares)(const float * x, int64_t n);
};

extern const gemm_kernel gemm_base;
#if defined(LUCIFER_X86_KERNELS)
extern const gemm_kernel gemm_avx2;
extern const gemm_kernel gemm_avx512;
#endif

// The best that this machine can run.
const gemm_kernel & gemm_best();

}  // namespace lucifer
