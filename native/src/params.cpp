#include "params.h"

#include "guard.h"

#include <cstring>

namespace lucifer {

void require_range(const char * name, int64_t value, int64_t from, int64_t to) {
    if (value < from || value > to) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s is %lld, expected %lld to %lld", name, (long long) value, (long long) from, (long long) to);
    }
}

std::vector<llama_model_kv_override> read_kv_overrides(const lucifer_kv_override * in, int32_t n) {
    std::vector<llama_model_kv_override> out;
    for (int32_t i = 0; i < n; i++) {
        llama_model_kv_override kv = {};
        if (in[i].key[0] == '\0' || memchr(in[i].key, 0, sizeof(in[i].key)) == nullptr ||
            memchr(in[i].val_str, 0, sizeof(in[i].val_str)) == nullptr) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "metadata override %d: key or text is empty or longer than 127 bytes", i);
        }
        memcpy(kv.key, in[i].key, sizeof(kv.key));
        switch (in[i].type) {
            case LUCIFER_KV_INT:
                kv.tag     = LLAMA_KV_OVERRIDE_TYPE_INT;
                kv.val_i64 = in[i].val_int;
                break;
            case LUCIFER_KV_FLOAT:
                kv.tag     = LLAMA_KV_OVERRIDE_TYPE_FLOAT;
                kv.val_f64 = in[i].val_float;
                break;
            case LUCIFER_KV_BOOL:
                kv.tag      = LLAMA_KV_OVERRIDE_TYPE_BOOL;
                kv.val_bool = in[i].val_int != 0;
                break;
            case LUCIFER_KV_STR:
                kv.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
                memcpy(kv.val_str, in[i].val_str, sizeof(kv.val_str));
                break;
            default: fail(LUCIFER_STATUS_INVALID_ARGUMENT, "metadata override %s: type is %d, expected 0 to 3", in[i].key, in[i].type);
        }
        out.push_back(kv);
    }
    if (!out.empty()) {
        out.push_back({}); // an empty key ends the list
    }
    return out;
}

} // namespace lucifer
