// What training does row by row between its matrix products, in one pass where plain operations would take many. Included once per
// instruction set, as gemm-kernel.h, which makes them members of its table.

#pragma once

#include "gemm.h"
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

// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2; order of operations as torch.optim.AdamW.
void adamw(const adamw_step & step, const float * g, float * w, float * m, float * v, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        const float gi = g[i]*step.gradient_scale;
        m[i] = step.beta1*m[i] + (1.0f - step.beta1)*gi;
        v[i] = step.beta2*v[i] + (1.0f - step.beta2)*gi*gi;
        w[i] = w[i]*step.decay - step.size*m[i]/(std::sqrt(v[i])/step.correction2 + step.epsilon);
    }
}

// In four sums, so that an addition need not wait for the one before.
double sum_of_squares(const float * x, int64_t n) {
    double sums[4] = {};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (int64_t j = 0; j < 4; ++j) { sums[j] += (double) x[i + j]*x[i + j]; }
    }
    for (; i < n; ++i) { sums[0] += (double) x[i]*x[i]; }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

}  // namespace lucifer
