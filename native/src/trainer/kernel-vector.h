// A vector register of floats for the kernels, included once per instruction set with GEMM_LANES (floats in it).
// No templates or inline functions of the standard library in kernels: the linker could take one copy, with its instructions, for all.

#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace lucifer {

namespace {

#if defined(__GNUC__)
typedef float   vector __attribute__((vector_size(4*GEMM_LANES), aligned(4), may_alias));
typedef int32_t integers __attribute__((vector_size(4*GEMM_LANES), aligned(4), may_alias));
inline void prefetch(const float * p) { __builtin_prefetch(p, 1); }
inline vector larger(vector a, vector b) { return a > b ? a : b; }

// e^x within two units of the last place, 0 below the smallest normal number. 2^n times a polynomial in the rest r, |r| <= ln(2)/2,
// with the coefficients of Cephes' expf; n is rounded by adding a number whose last place is 1.
inline vector exponential(vector x) {
    const vector limited = larger(x < 88.0f ? x : vector {} + 88.0f, vector {} - 87.3f);
    const vector n = (limited*1.44269504f + 12582912.0f) - 12582912.0f;
    const vector r = (limited - n*0.693359375f) + n*2.12194440e-4f;
    vector p = r*1.9875691500e-4f + 1.3981999507e-3f;
    p = p*r + 8.3334519073e-3f;
    p = p*r + 4.1665795894e-2f;
    p = p*r + 1.6666665459e-1f;
    p = p*r + 5.0000001201e-1f;
    p = p*(r*r) + r + 1.0f;
    const integers power = (__builtin_convertvector(n, integers) + 127) << 23;
    return x < -87.3f ? vector {} : p*(vector) power;
}
#else
struct vector {  // loops that the compiler may make vector instructions of
    float v[GEMM_LANES];
    vector & operator+=(const vector & b) { for (int i = 0; i < GEMM_LANES; ++i) { v[i] += b.v[i]; } return *this; }
    vector & operator-=(const vector & b) { for (int i = 0; i < GEMM_LANES; ++i) { v[i] -= b.v[i]; } return *this; }
    vector & operator*=(const vector & b) { for (int i = 0; i < GEMM_LANES; ++i) { v[i] *= b.v[i]; } return *this; }
    vector & operator/=(const vector & b) { for (int i = 0; i < GEMM_LANES; ++i) { v[i] /= b.v[i]; } return *this; }
    float operator[](int i) const { return v[i]; }
};
inline vector all(float a) { vector x; for (int i = 0; i < GEMM_LANES; ++i) { x.v[i] = a; } return x; }
inline vector operator+(vector a, const vector & b) { return a += b; }
inline vector operator-(vector a, const vector & b) { return a -= b; }
inline vector operator*(vector a, const vector & b) { return a *= b; }
inline vector operator/(vector a, const vector & b) { return a /= b; }
inline vector operator+(const vector & a, float b) { return a + all(b); }
inline vector operator-(const vector & a, float b) { return a - all(b); }
inline vector operator-(float a, const vector & b) { return all(a) - b; }
inline vector operator*(float a, const vector & b) { return all(a)*b; }
inline vector operator*(const vector & a, float b) { return a*all(b); }
inline vector operator/(float a, const vector & b) { return all(a)/b; }
inline void prefetch(const float *) {}
inline vector larger(vector a, const vector & b) { for (int i = 0; i < GEMM_LANES; ++i) { a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i]; } return a; }
inline vector exponential(vector x) { for (int i = 0; i < GEMM_LANES; ++i) { x.v[i] = std::exp(x.v[i]); } return x; }
#endif

// The first `count` elements at p, at most a vector full; the rest are `fill`.
inline vector load(const float * p, int64_t count, float fill) {
    if (count >= GEMM_LANES) {
        return *(const vector *) p;
    }
    float part[GEMM_LANES];
    for (int64_t i = 0; i < GEMM_LANES; ++i) { part[i] = i < count ? p[i] : fill; }
    return *(const vector *) part;
}

inline void save(const vector & x, float * p, int64_t count) {
    if (count >= GEMM_LANES) {
        *(vector *) p = x;
    } else {
        std::memcpy(p, &x, count*sizeof(float));
    }
}

inline float sum_of(const vector & x) {
    float sum = 0;
    for (int i = 0; i < GEMM_LANES; ++i) { sum += x[i]; }
    return sum;
}

}  // namespace

}  // namespace lucifer
