// The structure of a recorded graph: what the logits depend on, the reads of the cache, attention, and where it can be cut.

#include "trace-parts.h"

#include <algorithm>
#include <cstring>
#include <functional>

namespace lucifer {

ggml_tensor * trace::stored_for(const ggml_tensor * view) const {
    if (view->op != GGML_OP_VIEW || !is_cache_tensor(view)) {
        return nullptr;
    }
    const auto it = stored.find(root_of(view));
    return it == stored.end() ? nullptr : it->second;
}

// Keeps the recorded nodes on which the logits depend, in their order.
void trace::keep_reachable(const recorder & rec) {
    const auto logits = rec.by_name.find("result_output");
    if (logits == rec.by_name.end()) {
        throw unsupported("the model's graph has no logits (result_output)");
    }
    std::unordered_set<const ggml_tensor *> is_node(rec.nodes.begin(), rec.nodes.end());
    std::unordered_set<const ggml_tensor *> reached;
    std::vector<ggml_tensor *>              open = { logits->second };
    while (!open.empty()) {
        ggml_tensor * t = open.back();
        open.pop_back();
        if (!reached.insert(t).second) {
            continue;
        }
        if (is_node.count(t) == 0) {
            if (rec.input_data.count(t) != 0 && leaves.count(t) == 0) {
                throw unsupported(std::string("the model's graph has an input that training does not know: ") + t->name);
            }
            continue;
        }
        if (ggml_tensor * source = stored_for(t)) {
            open.push_back(source);
            continue;
        }
        if (t->view_src != nullptr && !is_view_op(t->op)) {
            throw unsupported(std::string("the model's graph changes a tensor in place: ") + ggml_op_desc(t) + " " + t->name);
        }
        for (ggml_tensor * src : t->src) {
            if (src != nullptr) {
                open.push_back(src);
            }
        }
    }
    for (ggml_tensor * t : rec.nodes) {
        if (reached.count(t) != 0) {
            nodes.push_back(t);
            for (const ggml_tensor * src : t->src) {
                if (src != nullptr && is_node.count(src) == 0) {
                    widest = std::max(widest, src->ne[1]);
                }
            }
        }
    }
}

// Copies what is recorded, without data, and frees the context with its cache and buffers. Not where other devices take part: there
// recorded tensors may have copies that only the context has.
bool trace::detach() {
    std::unordered_map<const ggml_tensor *, ggml_tensor *> own;
    size_t count = leaves.size() + stored.size();
    for (const ggml_tensor * t : nodes) {
        for (const ggml_tensor * src : t->src) {
            count += src != nullptr ? 1 : 0;
            if (src != nullptr && src->op == GGML_OP_NONE && src->buffer != nullptr && !ggml_backend_buffer_is_host(src->buffer)) {
                return false;
            }
        }
        count += 2;
    }
    copies.reset(ggml_init({ ggml_tensor_overhead()*count, nullptr, true }));
    const auto is_weight = [](const ggml_tensor * t) {
        return t->op == GGML_OP_NONE && (is_adapter_tensor(t) ||
               (t->buffer != nullptr && ggml_backend_buffer_get_usage(t->buffer) == GGML_BACKEND_BUFFER_USAGE_WEIGHTS));
    };
    const std::unordered_set<const ggml_tensor *>     is_node(nodes.begin(), nodes.end());
    const std::function<ggml_tensor *(ggml_tensor *)> copy = [&](ggml_tensor * t) {
        if (t == nullptr || is_weight(t) || own.count(t) != 0) {
            return t == nullptr || is_weight(t) ? t : own.at(t);
        }
        ggml_tensor * to = own[t] = ggml_new_tensor_1d(copies.get(), GGML_TYPE_F32, 1);
        *to = *t;
        to->data     = nullptr;
        to->buffer   = nullptr;
        to->extra    = nullptr;
        to->view_src = copy(t->view_src);
        for (ggml_tensor *& src : to->src) {  // nodes come after what they read
            src = is_node.count(t) != 0 ? copy(src) : nullptr;
        }
        return to;
    };
    std::transform(nodes.begin(), nodes.end(), nodes.begin(), copy);
    std::unordered_map<ggml_tensor *, input> own_leaves;
    for (const auto & [leaf, in] : leaves) {
        own_leaves[copy(leaf)] = in;
    }
    std::unordered_map<const ggml_tensor *, ggml_tensor *> own_stored;
    for (const auto & [cache, source] : stored) {
        if (own.count(source) != 0) {
            own_stored[copy(const_cast<ggml_tensor *>(cache))] = own.at(source);
        }
    }
    leaves = std::move(own_leaves);
    stored = std::move(own_stored);
    context.reset();
    return true;
}

// Whether no size of a weight could be taken for a number of rows.
bool trace::has_distinct_sizes() const {
    for (const ggml_tensor * t : nodes) {
        for (const ggml_tensor * src : t->src) {
            if (src == nullptr || src->op != GGML_OP_NONE || leaves.count(const_cast<ggml_tensor *>(src)) != 0) {
                continue;
            }
            for (int64_t ne : src->ne) {
                if (ne % shape().rows == 0 || ne % shape().outputs == 0) {
                    return false;
                }
            }
        }
    }
    return true;
}

// Follows the attention scores from the keys to the values. Where something else meets them on the way, nothing is found, and
// the cache's empty cells are computed along.
void trace::find_cell_rows() {
    const auto reads_cache = [&](const ggml_tensor * t) {
        return t != nullptr && (stored_for(t) != nullptr || (is_view_op(t->op) && t->src[0] != nullptr && stored_for(t->src[0]) != nullptr));
    };
    std::unordered_set<const ggml_tensor *> found;
    for (const auto & [leaf, in] : leaves) {
        if (in.what == input::mask) {
            found.insert(leaf);
        }
    }
    for (const ggml_tensor * t : nodes) {
        const bool from_scores = found.count(t->src[0]) != 0 || found.count(t->src[1]) != 0;
        if (t->op == GGML_OP_MUL_MAT && reads_cache(t->src[0])) {
            if (!from_scores) {
                found.insert(t);
            }
        } else if (from_scores) {
            const bool alone = t->op == GGML_OP_SCALE || t->op == GGML_OP_UNARY || (t->op == GGML_OP_SOFT_MAX && t->src[2] == nullptr);
            if (!alone) {
                return;
            }
            found.insert(t);
        }
    }
    cell_rows = std::move(found);
}

void trace::find_attentions() {
    if (!narrows()) {
        return;
    }
    std::unordered_map<const ggml_tensor *, std::vector<const ggml_tensor *>> readers;
    for (const ggml_tensor * t : nodes) {
        for (const ggml_tensor * src : t->src) {
            if (src != nullptr) {
                readers[src].push_back(t);
            }
        }
    }
    for (const ggml_tensor * t : nodes) {
        const ggml_tensor * probs = t->op == GGML_OP_MUL_MAT ? t->src[1] : nullptr;
        if (probs == nullptr || probs->op != GGML_OP_SOFT_MAX || probs->src[0]->op != GGML_OP_MUL_MAT || !spans_cache(probs->src[0])) {
            continue;
        }
        float max_bias;  // of ALiBi, whose slopes the mask does not hold
        std::memcpy(&max_bias, probs->op_params + 1, sizeof(max_bias));
        const auto mask     = leaves.find(probs->src[1]);
        const auto & result = readers[t];
        const bool permuted = std::all_of(result.begin(), result.end(), [](const ggml_tensor * r) { return r->op == GGML_OP_PERMUTE; });
        if (max_bias == 0.0f && mask != leaves.end() && mask->second.what == input::mask && probs->ne[3] == 1 && permuted &&
            readers[probs].size() == 1 && readers[probs->src[0]].size() == 1) {
            blocks[t] = { probs->src[0], probs };
            inner.insert({ probs->src[0], probs });
        }
    }
}

// Cuts where one tensor is all that the rest needs: after each layer's output and after the final norm.
void trace::cut() {
    std::unordered_map<const ggml_tensor *, size_t> index;
    for (size_t i = 0; i < nodes.size(); ++i) {
        index[nodes[i]] = i;
    }
    std::vector<size_t> last_use(nodes.size(), 0);
    for (size_t i = 0; i < nodes.size(); ++i) {
        const auto use = [&](const ggml_tensor * src) {
            const auto it = src == nullptr ? index.end() : index.find(src);
            if (it != index.end()) {
                last_use[it->second] = i;
            }
        };
        if (const ggml_tensor * source = stored_for(nodes[i])) {
            use(source);
        } else {
            std::for_each(std::begin(nodes[i]->src), std::end(nodes[i]->src), use);
        }
    }
    size_t begin = 0;
    size_t open_until = 0;  // last use of any node before the current one
    for (size_t i = 0; i < nodes.size(); ++i) {
        const bool boundary = starts_with(nodes[i]->name, "l_out-") || std::strcmp(nodes[i]->name, "result_norm") == 0;
        if (boundary && open_until <= i) {
            parts.push_back({ begin, i + 1, nodes[i] });
            begin = i + 1;
        }
        open_until = std::max(open_until, last_use[i]);
    }
    if (parts.empty() || std::strcmp(parts.back().output->name, "result_norm") != 0) {
        throw unsupported("the model's graph cannot be cut before its output layer");
    }
    if (parts.size() > 1) {  // the last layer's output and the norm behind it are one segment
        segment & norm = parts.back();
        segment & last = parts[parts.size() - 2];
        if (norm.end - last.end <= 4) {
            norm.begin = last.begin;
            parts.erase(parts.end() - 2);
        }
    }
    parts.push_back({ begin, nodes.size(), nodes.back() });
}

}  // namespace lucifer
