// Every compilation of the matrix product that this machine can run, against sums in double precision.

#include "trainer/gemm.h"

#include "check.h"

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

using namespace lucifer;

static std::mt19937 generator(5);

static std::vector<float> numbers(int64_t n) {
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    std::vector<float> v(n);
    for (float & x : v) {
        x = uniform(generator);
    }
    return v;
}

// b as a type's rows and what these hold after rounding.
struct stored {
    std::vector<char>  bytes;
    std::vector<float> values;
    gemm_matrix        matrix;
};

// [i, j], whose stored rows run along j (row_is_i) or along i.
static stored store(ggml_type type, int64_t ni, int64_t nj, bool row_is_i) {
    const int64_t rows   = row_is_i ? ni : nj;
    const int64_t length = row_is_i ? nj : ni;
    stored s;
    s.values = numbers(rows*length);
    s.bytes.resize(ggml_row_size(type, length)*rows);
    const ggml_to_float_t to_float = type == GGML_TYPE_F32 ? nullptr : ggml_get_type_traits(type)->to_float;
    ggml_quantize_chunk(type, s.values.data(), s.bytes.data(), 0, rows, length, nullptr);
    if (to_float != nullptr) {
        for (int64_t r = 0; r < rows; ++r) {
            to_float(s.bytes.data() + r*ggml_row_size(type, length), s.values.data() + r*length, length);
        }
    }
    s.matrix = { s.bytes.data(), row_is_i ? length : 1, row_is_i ? 1 : length, to_float, (int64_t) ggml_row_size(type, length),
                 ggml_blck_size(type), (int64_t) ggml_type_size(type), row_is_i };
    return s;
}

// Largest error of c = c0 + 0.5 a b, relative to the size of a sum of k products.
static double error(const gemm_kernel & kernel, ggml_type type, int64_t m, int64_t n, int64_t k, bool row_is_i, bool add) {
    const std::vector<float> a = numbers(m*k);
    const stored             b = store(type, k, n, row_is_i);
    std::vector<float>       c = numbers(m*n);
    const std::vector<float> before = c;
    std::vector<float>       scratch(kernel.scratch);
    kernel.run({ m, n, k, { a.data(), k, 1, nullptr, 0, 1, 4, true }, b.matrix, c.data(), n, 0.5f, add }, scratch.data());
    double worst = 0;
    for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (int64_t l = 0; l < k; ++l) {
                sum += (double) a[i*k + l]*b.values[row_is_i ? l*n + j : j*k + l];
            }
            worst = std::fmax(worst, std::fabs(0.5*sum + (add ? before[i*n + j] : 0) - c[i*n + j]));
        }
    }
    return worst/std::sqrt((double) k);
}

static void reads_every_half(const gemm_kernel & kernel) {
    for (uint32_t bits = 0; bits < 65536; ++bits) {
        const ggml_fp16_t half = (ggml_fp16_t) bits;
        float             own;
        kernel.from_f16(&half, &own, 1);
        const float theirs = ggml_fp16_to_fp32(half);
        CHECK(own == theirs || (std::isnan(own) && std::isnan(theirs)));
    }
}

// Of a row that fills no whole number of vectors, with keys that are not seen.
static void soft_max_is_exact(const gemm_kernel & kernel) {
    const int64_t n = 37;
    std::vector<float> row = numbers(n);
    std::vector<float> mask(n, 0.0f);
    double sum = 0;
    std::vector<double> expected(n);
    for (int64_t i = 0; i < n; ++i) {
        row[i] *= 20.0f;
        mask[i] = i % 5 == 3 ? -INFINITY : 0.0f;
        expected[i] = std::exp((double) row[i] + mask[i]);
        sum += expected[i];
    }
    kernel.soft_max(row.data(), mask.data(), n);
    for (int64_t i = 0; i < n; ++i) {
        CHECK(mask[i] == 0.0f ? std::fabs(row[i]*sum - expected[i]) <= 4e-6*expected[i] : row[i] == 0.0f);  // row[i]'s rounding, and the sum's
    }
}

static void adamw_is_exact(const gemm_kernel & kernel) {
    const int64_t n = 37;
    const adamw_step step = { 0.5f, 0.9f, 0.999f, 1e-8f, 0.99f, 0.01f, 0.3f };
    std::vector<float> g = numbers(n), w = numbers(n), m = numbers(n), v(n, 0.25f);
    const std::vector<float> w0 = w, m0 = m;
    kernel.adamw(step, g.data(), w.data(), m.data(), v.data(), n);
    for (int64_t i = 0; i < n; ++i) {
        const double gi = 0.5*g[i];
        const double mi = 0.9*m0[i] + 0.1*gi;
        const double vi = 0.999*0.25 + 0.001*gi*gi;
        CHECK(std::fabs(m[i] - mi) < 1e-6 && std::fabs(v[i] - vi) < 1e-6);
        CHECK(std::fabs(w[i] - (0.99*w0[i] - 0.01*mi/(std::sqrt(vi)/0.3 + 1e-8))) < 1e-6);
    }
    CHECK(std::fabs(kernel.sum_of_squares(v.data(), n) - 37*0.25*0.25) < 0.1);
}

int main() {
    std::vector<const gemm_kernel *> kernels = { &gemm_base };
#if defined(LUCIFER_X86_KERNELS)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        kernels.push_back(&gemm_avx2);
    }
    if (__builtin_cpu_supports("avx512f")) {
        kernels.push_back(&gemm_avx512);
    }
#endif
    const int64_t shapes[][3] = { { 1, 1, 1 }, { 3, 5, 2 }, { 7, 33, 65 }, { 150, 40, 300 }, { 13, 1100, 9 } };
    for (const gemm_kernel * kernel : kernels) {
        reads_every_half(*kernel);
        soft_max_is_exact(*kernel);
        adamw_is_exact(*kernel);
        for (const auto & s : shapes) {
            for (int flags = 0; flags < 4; ++flags) {
                CHECK(error(*kernel, GGML_TYPE_F32, s[0], s[1], s[2], (flags & 1) != 0, (flags & 2) != 0) < 1e-6);
            }
        }
        for (ggml_type type : { GGML_TYPE_F16, GGML_TYPE_BF16, GGML_TYPE_Q8_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K }) {
            CHECK(error(*kernel, type, 20, 512, 768, true, false) < 1e-6);
            CHECK(error(*kernel, type, 20, 70, 768, false, false) < 1e-6);
        }
    }
    printf("ok, %zu kernels\n", kernels.size());
    return 0;
}
