// What the files of the trace share.

#pragma once

#include "guard.h"
#include "trace.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace lucifer {

inline status_error unsupported(const std::string & message) { return { LUCIFER_STATUS_UNSUPPORTED, message }; }

inline bool starts_with(const std::string & s, const char * prefix) { return s.rfind(prefix, 0) == 0; }

inline const ggml_tensor * root_of(const ggml_tensor * t) { return t->view_src != nullptr ? t->view_src : t; }

inline bool is_cache_tensor(const ggml_tensor * t) { return starts_with(root_of(t)->name, "cache_"); }

inline bool is_view_op(ggml_op op) {
    return op == GGML_OP_VIEW || op == GGML_OP_RESHAPE || op == GGML_OP_PERMUTE || op == GGML_OP_TRANSPOSE;
}

// What the eval callback sees: every node in order, and the inputs' bytes as they were when first read (the allocator may
// give their memory to another tensor afterwards).
struct trace::recorder {
    std::vector<ggml_tensor *>                                nodes;
    std::unordered_map<ggml_tensor *, std::vector<uint8_t>>   input_data;
    std::unordered_map<std::string, ggml_tensor *>            by_name;
    std::unordered_map<ggml_tensor *, ggml_tensor *>          originals;  // a copy on another device -> the node it is of

    static bool callback(ggml_tensor * t, bool ask, void * user_data);

    void record(ggml_tensor * t);
    void record_source(ggml_tensor * src);

    // Makes nodes read nodes of other devices directly. Only after decoding: the graph is not computed again.
    void join_devices();
};

}  // namespace lucifer
