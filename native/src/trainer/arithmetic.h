// How copied graphs compute.

#pragma once

namespace lucifer {

enum class arithmetic {
    native,  // by llama.cpp's own kernels for the weight's type, which round activations to it
    exact,   // in F32: frozen weights are brought to F32 first, and GELU is computed (ggml's CPU kernel reads a table of F16
             // values, 3e-4 off)
    packed,  // the same on the CPU alone, with products by gemm(), which needs no F32 copies and no transposed ones
    mixed,   // for devices with matrix units: forward as native; gradients by products of BF16, of F16 weights by those of F32.
             // Sums are F32's, and so are the adapter's weights and moments.
};

}  // namespace lucifer
