#pragma once

// What stands behind the header's opaque handles.

#include "bounded.h"
#include "collector.h"
#include "guard.h"
#include "rpc.h"
#include "special-tokens.h"
#include "state-format.h"
#include "threads.h"

#include "llama-cpp.h"
#include "common/chat.h"
#include "common/sampling.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

struct lucifer_model {
    lucifer_model(llama_model_ptr loaded, const std::string & file)
        : model(std::move(loaded)), vocab(llama_model_get_vocab(model.get())), path(file), subject(lucifer::remember_subject(file)), specials(vocab) {
        char text[128];
        llama_model_desc(model.get(), text, sizeof(text));
        description = text;
        for (llama_token token = 0; token < llama_vocab_n_tokens(vocab); token++) {
            if (llama_vocab_is_eog(vocab, token)) {
                eog.push_back(token);
            }
        }
    }

    llama_model_ptr      model;
    const llama_vocab *  vocab;
    std::string          path;        // the first of its files
    const char *         subject;
    const lucifer::special_tokens specials;
    std::string          description; // "qwen3 0.6B Q8_0"
    std::vector<int32_t> eog;         // tokens that end a generation

    std::vector<ggml_backend_dev_t> devices; // other than the CPU
    std::vector<lucifer::rpc_link>  links;   // to the rpc-servers among them
    int32_t n_gpu_layers = 0;
    int32_t fit_n_ctx    = 0;
    int32_t n_positions  = 0; // rows of its table of learnt positions, 0: it has none
    bool    vocab_only   = false;

    // The chat template used last, parsed, unless it is in use; for the model's own the source is "".
    std::mutex                templates_mutex;
    std::string               templates_source;
    common_chat_templates_ptr templates;

    mutable std::atomic<bool> poisoned{false};
    void poison() const { poisoned = true; }
};

struct lucifer_adapter {
    llama_adapter_lora_ptr adapter;
    lucifer_model *        model;
    const char *           subject;

    std::atomic<bool> poisoned{false};
    void poison() { poisoned = true; }
};

struct lucifer_context {
    // before the context, which uses them to its end
    lucifer::thread_pools               threads;
    std::unique_ptr<lucifer::collector> imatrix; // null: none is collected
    llama_context_ptr     context;
    lucifer_model *   model;
    const char *      subject;

    int32_t n_vocab;
    int32_t n_batch;
    int32_t n_ubatch;
    int32_t n_seq_max;
    bool    has_memory;
    bool    causal;
    bool    embeddings;
    bool    kv_unified;

    // The batch handed to llama.cpp: constant parts, made once.
    std::vector<int32_t>        n_seq_id; // 1, n_batch times
    std::vector<llama_seq_id *> seq_id;   // room for n_batch pointers

    // Which tokens of the last batch have an output.
    std::vector<int8_t> outputs;
    int32_t             n_outputs = 0;

    lucifer::state_shape state_shape; // of its states, once it has been learnt

    std::atomic<const int32_t *> cancel{nullptr}; // polled by llama.cpp's abort callback

    std::atomic<bool> poisoned{false};
    void poison() { poisoned = true; }
};

struct lucifer_sampler {
    common_sampler_ptr     sampler;
    common_params_sampling params; // that it was made with
    std::vector<llama_token> chosen; // under a grammar
    lucifer_model *        model;
    const char *           subject;

    lucifer::budget allowed;           // what its grammar may take, all calls together
    bool            recursive = false; // its grammar needs more than a thread's usual stack
    int64_t         n_bytes   = 0;     // chosen so far

    mutable std::atomic<bool> poisoned{false};
    void poison() const { poisoned = true; }
};

namespace lucifer {

inline bool is_set(const int32_t * cancel) {
    return cancel != nullptr && *(const volatile int32_t *) cancel != 0;
}

// Throws UNSUPPORTED for a model whose file has no vocabulary: llama.cpp's tokenizer and samplers assert on it.
void require_vocab(const lucifer_model & model);

void require_token(const lucifer_model & model, int32_t token);

// What a model has computed shows that its weights, or those of an adapter, are no numbers.
[[noreturn]] void fail_broken(const lucifer_model & model, const std::string & what);

// Throws unless token i of the last batch has an output. Upstream would assert or log.
void require_output(const lucifer_context & context, int32_t i);

void require_seq(const lucifer_context & context, int32_t seq_id);

// Tokens that a sequence can hold: llama.cpp rounds the number up, past the end of a table of positions too.
int32_t n_ctx_seq(const lucifer_context & context);

// Throws FAILED when the connection to one of the servers has failed: what was on it is lost, and what came from it is nothing.
void require_servers(const std::vector<rpc_link> & links);

// Runs what may use servers, and blames one that has failed for whatever came of it.
template <typename F> int32_t with_servers(const std::vector<rpc_link> & links, F && body) {
    try {
        const int32_t status = body();
        require_servers(links);
        return status;
    } catch (...) {
        require_servers(links);
        throw;
    }
}

// FAILED for a call whose servers have failed, whatever else has come of it.
int32_t judged(const char * what, const std::vector<rpc_link> & links, int32_t status) noexcept;
template <> int32_t judged(const char * what, const lucifer_context & context, int32_t status) noexcept;

// Value of a metadata key as text, "" where it is missing.
std::string meta_value(const llama_model * model, const char * key);

} // namespace lucifer
