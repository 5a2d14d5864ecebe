// The product itself, included once per instruction set with GEMM_NAME, GEMM_LANES (floats in a vector register), GEMM_ROWS
// and GEMM_VECTORS (registers of sums: ROWS x VECTORS, plus VECTORS + 1 for operands, fit the register file).
//
// After Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a block of b that the second and third
// level cache hold, a block of a for the second, and a kernel that keeps its sums in registers and reads both packed, in order.

#include "gemm.h"
#include "kernel-vector.h"
#include "rows-kernel.h"

#include <cstring>

namespace lucifer {

namespace {

const int64_t MR = GEMM_ROWS;                 // rows of c that the kernel computes at once
const int64_t NV = GEMM_VECTORS;
const int64_t NR = GEMM_VECTORS*GEMM_LANES;   // columns
const int64_t KC = 256;                       // summed at once; a multiple of every quantized type's block
const int64_t MC = MR*(144/MR);                // rows of a that are packed at once
const int64_t NC = 1024;                      // columns of b; a multiple of every quantized type's block

// sums [MR, NR] = a [k, MR] transposed times b [k, NR]. c, where they go, is fetched meanwhile.
inline void kernel(int64_t k, const float * a, const float * b, vector (&sums)[MR][NV], const float * c, int64_t ldc, int64_t rows) {
    for (int64_t i = 0; i < rows; ++i) {
        prefetch(c + i*ldc);
        prefetch(c + i*ldc + NR - 1);
    }
    vector acc[MR][NV];
    for (int64_t i = 0; i < MR; ++i) {
        for (int64_t j = 0; j < NV; ++j) { acc[i][j] = vector {}; }
    }
    for (int64_t l = 0; l < k; ++l, a += MR, b += NR) {
        const vector * columns = (const vector *) b;
        for (int64_t i = 0; i < MR; ++i) {
            for (int64_t j = 0; j < NV; ++j) { acc[i][j] += a[i]*columns[j]; }
        }
    }
    for (int64_t i = 0; i < MR; ++i) {
        for (int64_t j = 0; j < NV; ++j) { sums[i][j] = acc[i][j]; }
    }
}

// c [rows, columns] gets the sums; rows <= MR, columns <= NR.
inline void store(const vector (&sums)[MR][NV], float * c, int64_t ldc, int64_t rows, int64_t columns, float scale, bool add) {
    if (columns == NR) {
        for (int64_t i = 0; i < rows; ++i, c += ldc) {
            for (int64_t j = 0; j < NV; ++j) {
                vector * to = (vector *) c + j;
                const vector scaled = scale*sums[i][j];
                *to = add ? *to + scaled : scaled;
            }
        }
        return;
    }
    for (int64_t i = 0; i < rows; ++i, c += ldc) {
        const float * from = (const float *) sums[i];
        for (int64_t j = 0; j < columns; ++j) { c[j] = add ? c[j] + scale*from[j] : scale*from[j]; }
    }
}

// Packs `count` lines of `length` elements side by side: to[l*width + i] = from[i*line + l*step], zeros for count <= i < width.
inline void pack_lines(const float * from, int64_t line, int64_t step, int64_t count, int64_t length, int64_t width, float * to) {
    if (count < width) {
        std::memset(to, 0, length*width*sizeof(float));
    }
    if (line == 1) {
        for (int64_t l = 0; l < length; ++l) {
            for (int64_t i = 0; i < count; ++i) { to[l*width + i] = from[l*step + i]; }
        }
        return;
    }
    int64_t i = 0;
#if defined(__GNUC__)
    typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
    while (step == 1 && count >= 4 && i < count) {  // transposes squares of four, the last one over part of the one before
        i = i + 4 <= count ? i : count - 4;
        const float * r = from + i*line;
        int64_t l = 0;
        for (; l + 4 <= length; l += 4) {
            const four a = *(const four *) (r + l),          b = *(const four *) (r + line + l);
            const four c = *(const four *) (r + 2*line + l), d = *(const four *) (r + 3*line + l);
            const four ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            const four cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            float * out = to + l*width + i;
            *(four *) out             = __builtin_shufflevector(ab0, cd0, 0, 1, 4, 5);
            *(four *) (out + width)   = __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7);
            *(four *) (out + 2*width) = __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5);
            *(four *) (out + 3*width) = __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7);
        }
        for (; l < length; ++l) {
            for (int64_t x = 0; x < 4; ++x) { to[l*width + i + x] = r[x*line + l]; }
        }
        i += 4;
    }
#endif
    for (; i < count; ++i) {
        for (int64_t l = 0; l < length; ++l) {
            to[l*width + i] = from[i*line + l*step];
        }
    }
}

// As ggml's own, which is not compiled for vectors: the exponent moves by 112 in a product, which subnormal numbers survive.
void from_f16(const void * from, float * to, int64_t n) {
    const uint16_t * halves = (const uint16_t *) from;
    for (int64_t i = 0; i < n; ++i) {
        const uint32_t half      = halves[i];
        const uint32_t magnitude = (half & 0x7fff) << 13;
        const uint32_t special   = (half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;
        float          value;
        uint32_t       bits;
        std::memcpy(&value, &magnitude, sizeof(value));
        value *= 0x1p112f;
        std::memcpy(&bits, &value, sizeof(bits));
        bits |= special | (half & 0x8000) << 16;
        std::memcpy(to + i, &bits, sizeof(bits));
    }
}

// a[i0 .. i0+m, l0 .. l0+k] as panels of MR rows
void pack_a(const gemm_matrix & a, int64_t i0, int64_t m, int64_t l0, int64_t k, float * to) {
    for (int64_t i = 0; i < m; i += MR, to += MR*k) {
        const int64_t count = m - i < MR ? m - i : MR;
        pack_lines((const float *) a.data + (i0 + i)*a.stride_i + l0*a.stride_j, a.stride_i, a.stride_j, count, k, MR, to);
    }
}

// Elements [first, first + count) of a stored row; first is a multiple of the block.
void read_row(const gemm_matrix & b, int64_t row, int64_t first, int64_t count, float * to) {
    b.to_float((const char *) b.data + row*b.row_bytes + first/b.block*b.block_bytes, to, count);
}

// b[l0 .. l0+k, j0 .. j0+n] as panels of NR columns; rows: room for NR*KC or NC floats
void pack_b(const gemm_matrix & b, int64_t l0, int64_t k, int64_t j0, int64_t n, float * to, float * rows) {
    if (b.to_float != nullptr && b.row_is_i) {  // a stored row l crosses all panels
        for (int64_t l = 0; l < k; ++l) {
            read_row(b, l0 + l, j0, n, rows);
            for (int64_t j = 0; j < n; j += NR) {
                const int64_t count = n - j < NR ? n - j : NR;
                std::memset(to + j*k + l*NR, 0, NR*sizeof(float));
                std::memcpy(to + j*k + l*NR, rows + j, count*sizeof(float));
            }
        }
        return;
    }
    for (int64_t j = 0; j < n; j += NR, to += NR*k) {
        const int64_t count = n - j < NR ? n - j : NR;
        if (b.to_float == nullptr) {
            pack_lines((const float *) b.data + l0*b.stride_i + (j0 + j)*b.stride_j, b.stride_j, b.stride_i, count, k, NR, to);
            continue;
        }
        for (int64_t x = 0; x < count; ++x) {
            read_row(b, j0 + j + x, l0, k, rows + x*k);
        }
        pack_lines(rows, k, 1, count, k, NR, to);
    }
}

// scratch: NC*KC + MC*KC + the larger of NR*KC and NC floats
void run(const gemm_problem & p, float * scratch) {
    float * const packed_b = scratch;
    float * const packed_a = packed_b + NC*KC;
    float * const lines    = packed_a + MC*KC;
    vector sums[MR][NV];

    for (int64_t j0 = 0; j0 < p.n; j0 += NC) {
        const int64_t n = p.n - j0 < NC ? p.n - j0 : NC;
        for (int64_t l0 = 0; l0 < p.k; l0 += KC) {
            const int64_t k   = p.k - l0 < KC ? p.k - l0 : KC;
            const bool    add = p.add || l0 > 0;
            pack_b(p.b, l0, k, j0, n, packed_b, lines);
            for (int64_t i0 = 0; i0 < p.m; i0 += MC) {
                const int64_t m = p.m - i0 < MC ? p.m - i0 : MC;
                pack_a(p.a, i0, m, l0, k, packed_a);
                for (int64_t j = 0; j < n; j += NR) {
                    for (int64_t i = 0; i < m; i += MR) {
                        float * const c       = p.c + (i0 + i)*p.ldc + j0 + j;
                        const int64_t rows    = m - i < MR ? m - i : MR;
                        const int64_t columns = n - j < NR ? n - j : NR;
                        kernel(k, packed_a + i*k, packed_b + j*k, sums, c, p.ldc, rows);
                        store(sums, c, p.ldc, rows, columns, p.scale, add);
                    }
                }
            }
        }
    }
}

}  // namespace

extern const gemm_kernel GEMM_NAME = { run, NC*KC + MC*KC + (NR*KC > NC ? NR*KC : NC), MR, NR, from_f16,
                                       soft_max, soft_max_gradient, rms_norm_gradient, swiglu_gradient, adamw, sum_of_squares };

}  // namespace lucifer
