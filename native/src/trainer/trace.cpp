#include "trace.h"

#include "guard.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <stdexcept>

namespace lucifer {

static status_error unsupported(const std::string & message) { return { LUCIFER_STATUS_UNSUPPORTED, message }; }

static bool starts_with(const std::string & s, const char * prefix) { return s.rfind(prefix, 0) == 0; }

static bool ends_with(const std::string & s, const char * suffix) {
    const size_t n = std::strlen(suffix);
    return s.size() >= n && s.compare(s.size() - n, n, suffix) == 0;
}

static const ggml_tensor * root_of(const ggml_tensor * t) { return t->view_src != nullptr ? t->view_src : t; }

static bool is_cache_tensor(const ggml_tensor * t) { return starts_with(root_of(t)->name, "cache_"); }

static bool is_view_op(ggml_op op) {
    return op == GGML_OP_VIEW || op == GGML_OP_RESHAPE || op == GGML_OP_PERMUTE || op == GGML_OP_TRANSPOSE;
}

bool is_adapter_tensor(const ggml_tensor * t) { return ends_with(t->name, ".lora_a") || ends_with(t->name, ".lora_b"); }

// What a tensor is called on its own device, if it is the scheduler's copy of it on another ("RPC0#inp_pos#0"); else "".
static std::string name_of_original(const ggml_tensor * t) {
    const std::string name  = t->name;
    const size_t      first = name.find('#');
    const size_t      last  = name.rfind('#');
    return t->op != GGML_OP_NONE || first == last ? "" : name.substr(first + 1, last - first - 1);
}

// --- recording --------------------------------------------------------------------------------------------------------

// What the eval callback sees: every node in order, and the inputs' bytes as they were when first read (the allocator may
// give their memory to another tensor afterwards).
struct trace::recorder {
    std::vector<ggml_tensor *>                                nodes;
    std::unordered_map<ggml_tensor *, std::vector<uint8_t>>   input_data;
    std::unordered_map<std::string, ggml_tensor *>            by_name;
    std::unordered_map<ggml_tensor *, ggml_tensor *>          originals;  // a copy on another device -> the node it is of

    static bool callback(ggml_tensor * t, bool ask, void * user_data) {
        if (ask) {
            static_cast<recorder *>(user_data)->record(t);
        }
        return true;
    }

    void record(ggml_tensor * t) {
        for (ggml_tensor *& src : t->src) {
            if (src != nullptr) {
                record_source(src);
            }
        }
        nodes.push_back(t);
        by_name[t->name] = t;
    }

    // Makes nodes read nodes of other devices directly. Only after decoding: the graph is not computed again.
    void join_devices() {
        for (ggml_tensor * t : nodes) {
            for (ggml_tensor *& src : t->src) {
                const auto it = originals.find(src);
                src = it == originals.end() ? src : it->second;
            }
        }
    }

    void record_source(ggml_tensor * src) {
        const std::string original = name_of_original(src);
        const auto        node     = by_name.find(original);
        if (node != by_name.end()) {
            originals[src] = node->second;
            return;
        }
        if (((src->flags & GGML_TENSOR_FLAG_INPUT) == 0 && original.empty()) || input_data.count(src) != 0) {
            return;
        }
        std::vector<uint8_t> bytes(ggml_nbytes(src));
        ggml_backend_tensor_get(src, bytes.data(), 0, bytes.size());
        input_data.emplace(src, std::move(bytes));
    }
};

// The smallest prime from n on that divides none of the sizes.
static int32_t prime_from(int32_t n, std::initializer_list<int32_t> sizes) {
    const auto is_prime = [](int32_t x) {
        for (int32_t i = 2; i*i <= x; ++i) {
            if (x % i == 0) {
                return false;
            }
        }
        return true;
    };
    const auto divides = [&](int32_t x) { return std::any_of(sizes.begin(), sizes.end(), [&](int32_t size) { return size % x == 0; }); };
    while (!is_prime(n) || divides(n)) {
        ++n;
    }
    return n;
}

trace::trace(llama_model * model, llama_adapter_lora * adapter, batch_shape largest, bool sample, int32_t n_threads)
    : model(model), rows(largest.rows), n_ctx((largest.rows + 255)/256*256), vocab(llama_vocab_n_tokens(llama_model_get_vocab(model))),
      n_swa(llama_model_n_swa(model)) {
    const int32_t width = llama_model_n_embd(model);
    if (sample) {
        largest.outputs = prime_from(29, { vocab, width });
        rows            = prime_from(largest.outputs*2, { vocab, width });
    }
    make_probe(largest.outputs);
    recorder rec;
    decode(rec, adapter, n_threads);
    rec.join_devices();
    classify(rec);
    keep_reachable(rec);
    const bool own = detach();
    find_cell_rows();
    find_attentions();
    cut();
    scalable = sample && own && narrows() && has_distinct_sizes() && knows_rules(n_ctx);
}

// Whether a mask of so many rows follows the rules that were found, which the recorded one may have been too small to tell apart.
bool trace::knows_rules(int32_t largest) const { return n_swa == 0 || largest <= n_swa || rows/2 > n_swa; }

int64_t trace::scaled(int64_t size, const batch_shape & to) const {
    const batch_shape from = shape();
    if (scalable && size % from.rows == 0) {
        size = size/from.rows*to.rows;
    } else if (scalable && size % from.outputs == 0) {
        size = size/from.outputs*to.outputs;
    }
    return size;
}

// Three sequences, so that a wrong mask or position shows; tokens by a fixed linear congruence.
void trace::make_probe(int32_t n_outputs) {
    const int32_t ends[3] = { rows/2, rows/2 + rows/4, rows };
    uint32_t      state   = 12345;
    for (int32_t i = 0, s = 0; i < rows; ++i) {
        s += i == ends[s] ? 1 : 0;
        state = state*1664525u + 1013904223u;
        probe.tokens.push_back((int32_t) ((state >> 8) % (uint32_t) vocab));
        probe.sequences.push_back(s);
        probe.positions.push_back(i - (s == 0 ? 0 : ends[s - 1]));
    }
    for (int32_t k = 0; k < n_outputs; ++k) {
        probe.outputs.push_back((int32_t) ((int64_t) k*rows/n_outputs));
    }
}

void trace::decode(recorder & rec, llama_adapter_lora * adapter, int32_t n_threads) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx           = n_ctx;  // a multiple of 256, as llama.cpp would make it
    params.n_batch         = rows;
    params.n_ubatch        = rows;
    params.n_seq_max       = 4;
    params.kv_unified      = true;
    params.swa_full        = true;  // row i of the batch is cell i of every cache
    params.type_k          = GGML_TYPE_F32;
    params.type_v          = GGML_TYPE_F32;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    params.n_threads       = n_threads;
    params.n_threads_batch = n_threads;
    params.no_perf         = true;
    params.op_offload      = false;
    params.cb_eval           = recorder::callback;
    params.cb_eval_user_data = &rec;

    context.reset(llama_init_from_model(model, params));
    if (!context) {
        throw std::runtime_error("no context could be made for tracing the model's graph");
    }
    if (adapter != nullptr) {
        float scale = 1.0f;
        if (llama_set_adapters_lora(context.get(), &adapter, 1, &scale) != 0) {
            throw std::runtime_error("the adapter could not be set on the context");
        }
    }
    std::vector<int32_t>      n_seq_id(rows, 1);
    std::vector<llama_seq_id *> seq_ids(rows);
    std::vector<int8_t>       outputs(rows, 0);
    for (int32_t i = 0; i < rows; ++i) {
        seq_ids[i] = &probe.sequences[i];
    }
    for (int32_t row : probe.outputs) {
        outputs[row] = 1;
    }
    llama_batch batch = { rows, probe.tokens.data(), nullptr, probe.positions.data(), n_seq_id.data(), seq_ids.data(), outputs.data() };
    const int32_t status = llama_decode(context.get(), batch);
    if (status != 0) {
        throw std::runtime_error("llama_decode failed while tracing the model's graph: " + std::to_string(status));
    }
    const float * logits = llama_get_logits(context.get());
    probe_logits.assign(logits, logits + (size_t) vocab*probe.outputs.size());
}

// --- inputs -----------------------------------------------------------------------------------------------------------

void trace::classify(const recorder & rec) {
    for (const auto & [leaf, data] : rec.input_data) {
        const std::string copied = name_of_original(leaf);
        const std::string name   = copied.empty() ? leaf->name : copied;
        if (name == "inp_tokens") {
            leaves[leaf] = { input::tokens, mask_rule::causal };
        } else if (name == "inp_pos" && leaf->ne[0] == rows) {
            leaves[leaf] = { input::positions, mask_rule::causal };
        } else if (name == "out_ids") {
            leaves[leaf] = { input::output_rows, mask_rule::causal };
        } else if (name == "attn_inp_kq_mask") {
            leaves[leaf] = { input::mask, find_rule(leaf, data) };
        }
        // any other input is an error only when the logits depend on it: see keep_reachable
    }
    for (ggml_tensor * t : rec.nodes) {
        if (t->op == GGML_OP_SET_ROWS && is_cache_tensor(t)) {
            stored[root_of(t)] = t->src[0];
        }
    }
}

mask_rule trace::find_rule(const ggml_tensor * mask, const std::vector<uint8_t> & data) const {
    if (mask->type != GGML_TYPE_F32 || mask->ne[0] < rows || mask->ne[1] != rows || mask->ne[2]*mask->ne[3] != 1) {
        throw unsupported("the attention mask has an unknown form");
    }
    for (mask_rule rule : { mask_rule::causal, mask_rule::window, mask_rule::chunked, mask_rule::alibi }) {
        const std::vector<float> values = mask_values(mask->ne[0], rule, probe);
        if (std::memcmp(values.data(), data.data(), data.size()) == 0) {
            return rule;
        }
    }
    throw unsupported("the attention mask follows no known rule (causal, sliding window, chunked, ALiBi)");
}

// mask [n_kv (key), n_tokens (query)]: 0 or the ALiBi distance where query i sees key j, else -inf. n_kv is n_tokens rounded
// up by the KV cache. A padding row sees itself, for a softmax over nothing is NaN.
std::vector<float> trace::mask_values(int64_t n_kv, mask_rule rule, const packed_batch & batch) const {
    const int64_t      n = (int64_t) batch.tokens.size();
    std::vector<float> values((size_t) n_kv*n, -INFINITY);
    for (int64_t i = 0; i < n; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            const int32_t pi = batch.positions[i];
            const int32_t pj = batch.positions[j];
            bool          seen = batch.sequences[i] == batch.sequences[j] && pj <= pi && (batch.sequences[i] >= 0 || i == j);
            if (rule == mask_rule::window) {
                seen = seen && pi - pj < n_swa;
            } else if (rule == mask_rule::chunked) {
                seen = seen && n_swa > 0 && pj >= pi/n_swa*n_swa;
            }
            if (seen) {
                values[i*n_kv + j] = rule == mask_rule::alibi ? -std::fabs((float) (pi - pj)) : 0.0f;
            }
        }
    }
    return values;
}

std::vector<uint8_t> trace::content(const ggml_tensor * leaf, const ggml_tensor * own, const packed_batch & batch) const {
    const auto bytes_of = [](const auto & values) {
        const auto * p = reinterpret_cast<const uint8_t *>(values.data());
        return std::vector<uint8_t>(p, p + values.size()*sizeof(values[0]));
    };
    const input & in = leaves.at(const_cast<ggml_tensor *>(leaf));
    switch (in.what) {
        case input::tokens:      return bytes_of(batch.tokens);
        case input::positions:   return bytes_of(batch.positions);
        case input::output_rows: return bytes_of(batch.outputs);
        case input::mask:        return bytes_of(mask_values(own->ne[0], in.rule, batch));
    }
    throw std::logic_error("unknown input");
}

// --- structure --------------------------------------------------------------------------------------------------------

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
