#include "cpu-share.h"

#include "ggml.h"
#include "src/llama-ext.h" // llama_graph_reserve

#include <algorithm>

namespace lucifer {

namespace {

// What ggml's CPU backend does in no time, or in one thread whatever their number.
bool is_never_shared(const ggml_tensor * node) {
    switch (node->op) {
        case GGML_OP_NONE:
        case GGML_OP_VIEW:
        case GGML_OP_RESHAPE:
        case GGML_OP_PERMUTE:
        case GGML_OP_TRANSPOSE:
        case GGML_OP_GET_ROWS:
            return true;
        default:
            return false;
    }
}

// Of a weight or the cache: what is computed has no buffer yet.
bool lies_with_the_cpu(const ggml_tensor * tensor) {
    const ggml_tensor *   owner  = tensor->view_src != nullptr ? tensor->view_src : tensor;
    ggml_backend_buffer_t buffer = owner->buffer;
    return buffer != nullptr && ggml_backend_buffer_is_host(buffer);
}

bool touches_the_cpu(const ggml_tensor * node) {
    const auto end = std::find(node->src, node->src + GGML_MAX_SRC, nullptr);
    return lies_with_the_cpu(node) || std::any_of(node->src, end, lies_with_the_cpu);
}

} // namespace

bool cpu_computes(llama_context * context, const std::vector<ggml_backend_dev_t> & devices) {
    if (devices.empty()) {
        return true;
    }
    llama_synchronize(context); // what still runs uses the graph
    const uint32_t n_seqs = llama_n_seq_max(context);
    ggml_cgraph *  graph  = llama_graph_reserve(context, std::min(llama_n_ctx(context), llama_n_ubatch(context)), n_seqs, n_seqs);
    if (graph == nullptr) {
        return true;
    }
    for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
        ggml_tensor * node = ggml_graph_node(graph, i);
        if (is_never_shared(node)) {
            continue;
        }
        const bool known = std::any_of(devices.begin(), devices.end(), [&](auto device) { return ggml_backend_dev_supports_op(device, node); });
        if (!known || touches_the_cpu(node)) {
            return true;
        }
    }
    return false;
}

} // namespace lucifer
