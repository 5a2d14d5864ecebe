// Conversion of tensor data between floats and ggml's types, through ggml's own routines.

#include "guard.h"

#include "ggml.h"

#include <cmath>
#include <cstring>

using namespace lucifer;

static ggml_type checked_type(int32_t type) {
    if (type < 0 || type >= GGML_TYPE_COUNT || ggml_type_size((ggml_type) type) == 0) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "ggml type %d does not exist in this version", type);
    }
    return (ggml_type) type;
}

// n_elements in whole blocks; the bytes that they take.
static int64_t checked_size(ggml_type type, int64_t n_elements, int64_t n_bytes) {
    const int64_t block = ggml_blck_size(type);
    if (n_elements < 0 || n_elements % block != 0 || n_elements > INT64_MAX/64) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%lld elements are not whole blocks of %lld of type %s", (long long) n_elements, (long long) block,
             ggml_type_name(type));
    }
    const int64_t expected = n_elements/block*(int64_t) ggml_type_size(type);
    if (n_bytes != expected) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%lld bytes, expected %lld for %lld elements of type %s", (long long) n_bytes, (long long) expected,
             (long long) n_elements, ggml_type_name(type));
    }
    return expected;
}

int32_t lucifer_to_f32(int32_t type, const void * src, int64_t n_bytes, float * dst, int64_t n_elements) {
    return guard("lucifer_to_f32", [&] {
        require(src, "src");
        require(dst, "dst");
        const ggml_type t = checked_type(type);
        checked_size(t, n_elements, n_bytes);
        if (t == GGML_TYPE_F32) {
            std::memcpy(dst, src, n_bytes);
            return (int32_t) LUCIFER_STATUS_OK;
        }
        const ggml_to_float_t to_float = ggml_get_type_traits(t)->to_float;
        if (to_float == nullptr) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "type %s cannot be converted to floats", ggml_type_name(t));
        }
        to_float(src, dst, n_elements);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_from_f32(int32_t type, const float * src, int64_t n_rows, int64_t n_per_row, const float * importance, void * dst,
                         int64_t dst_bytes) {
    return guard("lucifer_from_f32", [&] {
        require(src, "src");
        require(dst, "dst");
        const ggml_type t = checked_type(type);
        if (n_rows < 0 || n_per_row < 1 || (n_rows > 0 && n_per_row > INT64_MAX/64/n_rows) || n_per_row % ggml_blck_size(t) != 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%lld rows of %lld elements are not whole blocks of %lld of type %s", (long long) n_rows,
                 (long long) n_per_row, (long long) ggml_blck_size(t), ggml_type_name(t));
        }
        checked_size(t, n_rows*n_per_row, dst_bytes);
        if (ggml_quantize_requires_imatrix(t) && importance == nullptr) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "type %s cannot be made without an importance matrix", ggml_type_name(t));
        }
        if (t != GGML_TYPE_F32 && t != GGML_TYPE_F16 && t != GGML_TYPE_BF16 && !ggml_is_quantized(t)) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "floats cannot be converted to type %s", ggml_type_name(t));
        }
        ggml_quantize_chunk(t, src, dst, 0, n_rows, n_per_row, importance);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
