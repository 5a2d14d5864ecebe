// What training does row by row between its matrix products, in one pass where plain operations would take many. Included once per
// instruction set, as gemm-kernel.h, which makes them members of its table.

#pragma once

#include "kernel-vector.h"

namespace lucifer {

namespace {

// row = softmax(row + mask); at least one element of mask is finite.
void soft_max(float * row, const float * mask, int64_t n) {
    vector most = vector {} - INFINITY;
    for (int64_t i = 0; i < n; i += GEMM_LANES) {
        const vector x = load(row + i, n - i, -INFINITY) + load(mask + i, n - i, 0.0f);
        save(x, row + i, n - i);
        most = larger(most, x);
    }
    float largest = most[0];
    for (int i = 1; i < GEMM_LANES; ++i) { largest = most[i] > largest ? most[i] : largest; }
    vector sums = {};
    for (int64_t i = 0; i < n; i += GEMM_LANES) {
        const vector e = exponential(load(row + i, n - i, -INFINITY) - largest);
        save(e, row + i, n - i);
        sums += e;
    }
    const float factor = 1.0f/sum_of(sums);
    for (int64_t i = 0; i < n; ++i) { row[i] *= factor; }
}

// g = y * (g - sum(g*y)): the gradient behind y = softmax(x), where g came in
void soft_max_gradient(const float * y, float * g, int64_t n) {
    vector sums = {};
    for (int64_t i = 0; i < n; i += GEMM_LANES) { sums += load(g + i, n - i, 0.0f)*load(y + i, n - i, 0.0f); }
    const float sum = sum_of(sums);
    for (int64_t i = 0; i < n; ++i) { g[i] = y[i]*(g[i] - sum); }
}

// dx = f*(g - x*f^2*mean(g*x)), of y = f*x with f = 1/sqrt(mean(x^2) + epsilon)
void rms_norm_gradient(const float * g, const float * x, float epsilon, float * dx, int64_t n) {
    vector squares  = {};
    vector products = {};
    for (int64_t i = 0; i < n; i += GEMM_LANES) {
        const vector xi = load(x + i, n - i, 0.0f);
        squares  += xi*xi;
        products += load(g + i, n - i, 0.0f)*xi;
    }
    const float f    = 1.0f/std::sqrt(sum_of(squares)/n + epsilon);
    const float back = sum_of(products)/n*f*f;
    for (int64_t i = 0; i < n; ++i) { dx[i] = (g[i] - x[i]*back)*f; }
}

// Of y = silu(x)*up: d_up = g*silu(x), dx = g*up*s*(1 + x*(1 - s)) with s = sigmoid(x)
void swiglu_gradient(const float * g, const float * x, const float * up, float * dx, float * d_up, int64_t n) {
    for (int64_t i = 0; i < n; i += GEMM_LANES) {
        const vector xi = load(x + i, n - i, 0.0f);
        const vector gi = load(g + i, n - i, 0.0f);
        const vector s  = 1.0f/(exponential(0.0f - xi) + 1.0f);
        save(gi*(xi*s), d_up + i, n - i);
        save(gi*load(up + i, n - i, 0.0f)*s*(xi*(1.0f - s) + 1.0f), dx + i, n - i);
    }
}

}  // namespace

}  // namespace lucifer
