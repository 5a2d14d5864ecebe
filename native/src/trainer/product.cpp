#include "product.h"

#include "gemm.h"
#include "own-op.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace lucifer {

static const int MAX_TERMS = std::min(OWN_PARAMS, GGML_MAX_SRC/2);  // a scale each

product product_form(const ggml_tensor * t) {
    return own_op_of(t) == own_op::product ? (product) t->op_params[OWN_FORM_AT] : product::none;
}

static int count_terms(const ggml_tensor * t) {
    int n = 0;
    while (n < MAX_TERMS && t->src[2*n] != nullptr) {
        ++n;
    }
    return n;
}

std::vector<product_term> product_terms(const ggml_tensor * t) {
    std::vector<product_term> terms;
    for (int i = 0; i < count_terms(t); ++i) {
        terms.push_back({ t->src[2*i], t->src[2*i + 1], own_param(t, i) });
    }
    return terms;
}

bool merge_products(ggml_tensor * t, const ggml_tensor * other, float scale) {
    const int had = count_terms(t);
    const int add = count_terms(other);
    if (product_form(t) == product::none || product_form(t) != product_form(other) || had + add > MAX_TERMS || !ggml_are_same_shape(t, other)) {
        return false;
    }
    for (int i = 0; i < add; ++i) {
        t->src[2*(had + i)]     = other->src[2*i];
        t->src[2*(had + i) + 1] = other->src[2*i + 1];
        set_own_param(t, had + i, own_param(other, i)*scale);
    }
    return true;
}

// --- computing --------------------------------------------------------------------------------------------------------

static ggml_to_float_t to_float_of(ggml_type type) {
    switch (type) {
        case GGML_TYPE_F32: return nullptr;
        case GGML_TYPE_F16: return gemm_best().from_f16;
        default:            return ggml_get_type_traits(type)->to_float;
    }
}

// Matrix (i2, i3) of t with its rows along i, or along j.
static gemm_matrix matrix_of(const ggml_tensor * t, int64_t i2, int64_t i3, bool row_is_i) {
    const int64_t row = t->nb[1]/sizeof(float);
    const int64_t element = t->nb[0]/sizeof(float);
    return { static_cast<const char *>(t->data) + i2*t->nb[2] + i3*t->nb[3], row_is_i ? row : element, row_is_i ? element : row,
             to_float_of(t->type), (int64_t) t->nb[1], ggml_blck_size(t->type),
             (int64_t) ggml_type_size(t->type), row_is_i };
}

// Part `part` of `parts` of a product: columns of c where there are enough to share, else rows.
static void run_part(gemm_problem p, int part, int parts, float * scratch) {
    const gemm_kernel & kernel = gemm_best();
    const int64_t       column = p.b.to_float != nullptr && p.b.row_is_i ? std::max(p.b.block, kernel.columns) : kernel.columns;
    const auto          range  = [&](int64_t n, int64_t unit) {
        const int64_t step = (n + unit*parts - 1)/(unit*parts)*unit;
        return std::make_pair(std::min(n, part*step), std::min(n, (part + 1)*step));
    };
    if (p.n >= 4*column*parts || p.n >= p.m) {
        const auto [begin, end] = range(p.n, column);
        if (p.b.to_float == nullptr) {
            p.b.data = static_cast<const float *>(p.b.data) + begin*p.b.stride_j;
        } else {
            p.b.data = static_cast<const char *>(p.b.data) + (p.b.row_is_i ? begin/p.b.block*p.b.block_bytes : begin*p.b.row_bytes);
        }
        p.c += begin;
        p.n = end - begin;
    } else {
        const auto [begin, end] = range(p.m, kernel.rows);
        p.a.data = static_cast<const float *>(p.a.data) + begin*p.a.stride_i;
        p.c += begin*p.ldc;
        p.m = end - begin;
    }
    if (p.m > 0 && p.n > 0) {
        kernel.run(p, scratch);
    }
}

// Matrix (i2, i3) of the result of one term, as problems one after the other.
template <typename Each>
static void for_each_problem(const ggml_tensor * dst, const product_term & t, bool add, int64_t i2, int64_t i3, Each each) {
    float *       c   = reinterpret_cast<float *>(static_cast<char *>(dst->data) + i2*dst->nb[2] + i3*dst->nb[3]);
    const int64_t ldc = dst->nb[1]/sizeof(float);
    const auto    run = [&](const gemm_matrix & a, const gemm_matrix & b, int64_t k, bool more) {
        each(gemm_problem { dst->ne[1], dst->ne[0], k, a, b, c, ldc, t.scale, more });
    };
    const int64_t group2 = t.second->ne[2]/t.first->ne[2];
    const int64_t group3 = t.second->ne[3]/t.first->ne[3];
    switch (product_form(dst)) {
        case product::forward:
            run(matrix_of(t.second, i2, i3, true), matrix_of(t.first, i2/group2, i3/group3, false), t.first->ne[0], add);
            break;
        case product::gradient_of_b:
            run(matrix_of(t.second, i2, i3, true), matrix_of(t.first, i2/group2, i3/group3, true), t.first->ne[1], add);
            break;
        case product::gradient_of_a: {  // b and g have a multiple of dst's matrices
            const int64_t n2 = t.first->ne[2]/dst->ne[2];
            const int64_t n3 = t.first->ne[3]/dst->ne[3];
            for (int64_t x = 0; x < n2*n3; ++x) {
                const int64_t j2 = i2*n2 + x%n2;
                const int64_t j3 = i3*n3 + x/n2;
                run(matrix_of(t.second, j2, j3, false), matrix_of(t.first, j2, j3, true), t.first->ne[1], add || x > 0);
            }
            break;
        }
        case product::none:
            break;
    }
}

static void compute(ggml_tensor * dst, int ith, int nth, void *) {
    static thread_local std::vector<float> scratch;
    scratch.resize(gemm_best().scratch);
    const int64_t matrices = dst->ne[2]*dst->ne[3];
    const bool    whole    = matrices >= nth;  // a thread computes whole matrices
    for (int64_t i = 0; i < matrices; ++i) {
        if (whole && i % nth != ith) {
            continue;
        }
        bool add = false;
        for (const product_term & term : product_terms(dst)) {
            for_each_problem(dst, term, add, i % dst->ne[2], i/dst->ne[2], [&](const gemm_problem & p) {
                run_part(p, whole ? 0 : ith, whole ? 1 : nth, scratch.data());
            });
            add = true;
        }
    }
}

ggml_tensor * new_product(ggml_context * ctx, product form, const ggml_tensor * shape, const product_term & term) {
    ggml_tensor * args[] = { term.first, term.second };
    ggml_tensor * t = ggml_custom_4d(ctx, GGML_TYPE_F32, shape->ne[0], shape->ne[1], shape->ne[2], shape->ne[3], args, 2, compute,
                                     GGML_N_TASKS_MAX, nullptr);
    set_own_op(t, own_op::product);
    t->op_params[OWN_FORM_AT] = (int32_t) form;
    set_own_param(t, 0, term.scale);
    return t;
}

ggml_tensor * copy_product(ggml_context * ctx, const ggml_tensor * t) {
    ggml_tensor * copy = ggml_dup_tensor(ctx, t);
    copy->op = t->op;
    std::memcpy(copy->op_params, t->op_params, sizeof(t->op_params));
    std::memcpy(copy->src, t->src, sizeof(t->src));
    return copy;
}

}  // namespace lucifer
