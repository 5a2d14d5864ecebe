// Recording of llama.cpp's graph, and of what its inputs hold.

#include "trace.h"

#include "trace-parts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace lucifer {

static bool ends_with(const std::string & s, const char * suffix) {
    const size_t n = std::strlen(suffix);
    return s.size() >= n && s.compare(s.size() - n, n, suffix) == 0;
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

bool trace::recorder::callback(ggml_tensor * t, bool ask, void * user_data) {
    if (ask) {
        static_cast<recorder *>(user_data)->record(t);
    }
    return true;
}

void trace::recorder::record(ggml_tensor * t) {
    for (ggml_tensor *& src : t->src) {
        if (src != nullptr) {
            record_source(src);
        }
    }
    nodes.push_back(t);
    by_name[t->name] = t;
}

void trace::recorder::join_devices() {
    for (ggml_tensor * t : nodes) {
        for (ggml_tensor *& src : t->src) {
            const auto it = originals.find(src);
            src = it == originals.end() ? src : it->second;
        }
    }
}

void trace::recorder::record_source(ggml_tensor * src) {
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

}  // namespace lucifer
