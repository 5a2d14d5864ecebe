// Makes, frees and describes contexts.

#include "cpu-share.h"
#include "free-memory.h"
#include "log.h"
#include "objects.h"
#include "params.h"

#include "common/common.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace lucifer {

void require_seq(const lucifer_context & context, int32_t seq_id) {
    if (seq_id < 0 || seq_id >= context.n_seq_max) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "sequence %d, the context has 0 to %d", seq_id, context.n_seq_max - 1);
    }
}

int32_t n_ctx_seq(const lucifer_context & context) {
    const int32_t n = (int32_t) llama_n_ctx_seq(context.context.get());
    return context.model->n_positions > 0 ? std::min(n, context.model->n_positions) : n;
}

template <> int32_t judged(const char * what, const lucifer_context & context, int32_t status) noexcept {
    return judged(what, context.model->links, status);
}

namespace {

bool on_abort_poll(void * data) {
    return is_set(((lucifer_context *) data)->cancel.load(std::memory_order_relaxed));
}

void require_finite(const char * name, float value) {
    if (!std::isfinite(value)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s is not a finite number", name);
    }
}

ggml_type cache_type(const char * name, int32_t type) {
    // those that upstream's tools offer: its attention has kernels for no others
    static const ggml_type types[] = {GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_BF16,   GGML_TYPE_Q8_0, GGML_TYPE_Q4_0,
                                      GGML_TYPE_Q4_1, GGML_TYPE_IQ4_NL, GGML_TYPE_Q5_0, GGML_TYPE_Q5_1};
    std::string names;
    for (ggml_type known : types) {
        if (known == type) {
            return known;
        }
        names += std::string(names.empty() ? "" : ", ") + ggml_type_name(known);
    }
    fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s is ggml type %d, expected one of: %s", name, type, names.c_str());
}

llama_context_params read_params(const lucifer_context_params & in) {
    require_range("n_ctx", in.n_ctx, 0, INT32_MAX - 256); // it is rounded up to a multiple of 256
    require_range("n_batch", in.n_batch, 1, INT32_MAX);
    require_range("n_ubatch", in.n_ubatch, 1, INT32_MAX);
    require_range("n_seq_max", in.n_seq_max, 1, (int64_t) llama_max_parallel_sequences());
    require_range("n_threads", in.n_threads, 0, GGML_MAX_N_THREADS);
    require_range("n_threads_batch", in.n_threads_batch, 0, GGML_MAX_N_THREADS);
    require_range("flash_attn", in.flash_attn, LLAMA_FLASH_ATTN_TYPE_AUTO, LLAMA_FLASH_ATTN_TYPE_ENABLED);
    require_range("pooling_type", in.pooling_type, LLAMA_POOLING_TYPE_UNSPECIFIED, LLAMA_POOLING_TYPE_RANK);
    require_range("attention_type", in.attention_type, LLAMA_ATTENTION_TYPE_UNSPECIFIED, LLAMA_ATTENTION_TYPE_NON_CAUSAL);
    require_range("rope_scaling_type", in.rope_scaling_type, LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED, LLAMA_ROPE_SCALING_TYPE_MAX_VALUE);
    require_range("imatrix", in.imatrix, LUCIFER_IMATRIX_NONE, LUCIFER_IMATRIX_OUTPUT);
    require_range("yarn_orig_ctx", in.yarn_orig_ctx, 0, INT32_MAX);
    require_finite("rope_freq_base", in.rope_freq_base);
    require_finite("rope_freq_scale", in.rope_freq_scale);
    require_finite("yarn_ext_factor", in.yarn_ext_factor);
    require_finite("yarn_attn_factor", in.yarn_attn_factor);
    require_finite("yarn_beta_fast", in.yarn_beta_fast);
    require_finite("yarn_beta_slow", in.yarn_beta_slow);

    llama_context_params out = llama_context_default_params();
    out.n_ctx             = (uint32_t) in.n_ctx;
    out.n_batch           = (uint32_t) in.n_batch;
    out.n_ubatch          = (uint32_t) in.n_ubatch;
    out.n_seq_max         = (uint32_t) in.n_seq_max;
    out.flash_attn_type   = (llama_flash_attn_type) in.flash_attn;
    out.type_k            = cache_type("type_k", in.type_k);
    out.type_v            = cache_type("type_v", in.type_v);
    out.pooling_type      = (enum llama_pooling_type) in.pooling_type;
    out.attention_type    = (llama_attention_type) in.attention_type;
    out.rope_scaling_type = (llama_rope_scaling_type) in.rope_scaling_type;
    out.rope_freq_base    = in.rope_freq_base;
    out.rope_freq_scale   = in.rope_freq_scale;
    out.yarn_ext_factor   = in.yarn_ext_factor;
    out.yarn_attn_factor  = in.yarn_attn_factor;
    out.yarn_beta_fast    = in.yarn_beta_fast;
    out.yarn_beta_slow    = in.yarn_beta_slow;
    out.yarn_orig_ctx     = (uint32_t) in.yarn_orig_ctx;
    out.embeddings        = in.embeddings != 0;
    out.offload_kqv       = in.offload_kqv != 0;
    out.op_offload        = in.op_offload != 0;
    out.swa_full          = in.swa_full != 0;
    out.kv_unified        = in.kv_unified != 0;
    out.no_perf           = true;
    if (ggml_is_quantized(out.type_v) && out.flash_attn_type == LLAMA_FLASH_ATTN_TYPE_DISABLED) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "a V cache of type %s needs flash attention, which is switched off", ggml_type_name(out.type_v));
    }
    return out;
}

int64_t meta_int(const llama_model * model, const std::string & key) {
    const std::string value = meta_value(model, key.c_str());
    return value.empty() ? 0 : atoll(value.c_str());
}

// What a context takes at the least, in bytes.
struct context_needs {
    double cells; // what llama.cpp notes of each token, on the CPU
    double cache; // of keys and values, beside the layers
    double mask;  // of which tokens a micro-batch sees, once the context is full
};

context_needs needs_of(const lucifer_model & m, const llama_context_params & params) {
    constexpr double cell_size = 48; // llama_kv_cells: position, shift, place in a picture, and a bit for each sequence

    const llama_model * model = m.model.get();
    const std::string   arch  = meta_value(model, "general.architecture");
    const double        n_ctx = params.n_ctx == 0 ? llama_model_n_ctx_train(model) : (double) params.n_ctx;
    if (llama_model_is_recurrent(model)) {
        return {};
    }
    context_needs needs = {};
    needs.cells         = cell_size * n_ctx;
    needs.mask          = (double) sizeof(float) * std::min(n_ctx, (double) params.n_ubatch) * n_ctx / (params.kv_unified ? 1 : params.n_seq_max);
    // the other kinds keep less than this of some layers, and do not tell of which
    const bool plain = !llama_model_is_hybrid(model) && (llama_model_n_swa(model) == 0 || params.swa_full) &&
                       meta_int(model, arch + ".attention.kv_lora_rank") == 0;
    const int64_t n_head = llama_model_n_head(model);
    if (plain && n_head > 0) {
        const double fallback = (double) llama_model_n_embd(model) / (double) n_head;
        const auto   row      = [&](const char * key, ggml_type type) {
            const int64_t head = meta_int(model, arch + key);
            return (head > 0 ? (double) head : fallback) * llama_model_n_head_kv(model) * (double) ggml_type_size(type) / (double) ggml_blck_size(type);
        };
        needs.cache = n_ctx * llama_model_n_layer(model) * (row(".attention.key_length", params.type_k) + row(".attention.value_length", params.type_v));
    }
    return needs;
}

double free_on_devices(const lucifer_model & m) {
    double memory = 0;
    for (ggml_backend_dev_t device : m.devices) {
        size_t free = 0, total = 0;
        ggml_backend_dev_memory(device, &free, &total);
        memory += (double) free;
    }
    return memory;
}

[[noreturn]] void fail_fits(const char * where, uint32_t n_ctx, double bytes, double free) {
    constexpr double gib = 1 << 30;
    fail(LUCIFER_STATUS_OUT_OF_MEMORY, "a context of %u tokens needs about %.1f GiB of %s memory, %.1f GiB are free: ask for a smaller n_ctx, "
         "fewer sequences or a cache of a smaller type", n_ctx, bytes / gib, where, free / gib);
}

// llama.cpp clears the cache it allocates: where memory is overcommitted, one that is too large is not refused, it gets the process
// killed.
void require_cache_fits(const lucifer_model & m, const llama_context_params & params) {
    const context_needs needs    = needs_of(m, params);
    const double        n_all    = llama_model_n_layer(m.model.get());
    const double        share    = params.offload_kqv && n_all > 0 ? std::min(1.0, m.n_gpu_layers / n_all) : 0;
    const double        on_cpu   = needs.cells + needs.cache * (1 - share) + (share > 0 ? 0 : needs.mask);
    const double        free_cpu = (double) memory_available(SIZE_MAX / 2);
    if (on_cpu > free_cpu) {
        fail_fits("this machine's", params.n_ctx, on_cpu, free_cpu);
    }
    const double on_devices   = needs.cache * share + (share > 0 ? needs.mask : 0);
    const double free_devices = free_on_devices(m);
    if (on_devices > 0 && on_devices > free_devices) {
        fail_fits("the devices'", params.n_ctx, on_devices, free_devices);
    }
}

// A table of positions ends. Sequences that share their room may have less than all of it each.
void require_positions(const lucifer_model & model, const lucifer_context_params & params) {
    const int32_t n = params.n_ctx / params.n_seq_max;
    if (model.n_positions > 0 && n > model.n_positions && params.kv_unified == 0) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_ctx is %d, expected at most %d, as %s has learnt %d positions", n, model.n_positions,
             model.path.c_str(), model.n_positions);
    }
}

bool is_causal(const lucifer_model & m, const lucifer_context_params & params) {
    if (params.attention_type != LLAMA_ATTENTION_TYPE_UNSPECIFIED) {
        return params.attention_type == LLAMA_ATTENTION_TYPE_CAUSAL;
    }
    const std::string arch = meta_value(m.model.get(), "general.architecture");
    return !llama_model_is_diffusion(m.model.get()) && meta_value(m.model.get(), (arch + ".attention.causal").c_str()) != "false" &&
           arch != "gemma-embedding";
}

[[noreturn]] void fail_init(const lucifer_model & model) {
    const std::string errors = call_errors();
    const std::string cause  = call_last_error_line();
    int32_t           status = LUCIFER_STATUS_FAILED;
    if (errors.find("failed to allocate") != std::string::npos || errors.find("failed to initialize memory") != std::string::npos ||
        errors.find("unable to allocate") != std::string::npos || errors.find("out of memory") != std::string::npos) {
        status = LUCIFER_STATUS_OUT_OF_MEMORY;
    } else if (errors.find("does not divide") != std::string::npos || errors.find("requires") != std::string::npos ||
               errors.find("does not support") != std::string::npos) {
        status = LUCIFER_STATUS_INVALID_ARGUMENT;
    }
    fail(status, "%s: no context: %s", model.path.c_str(), cause.empty() ? "llama.cpp does not say why" : cause.c_str());
}

int32_t physical_cores() {
    return std::min(GGML_MAX_N_THREADS, std::max(1, common_cpu_get_num_math()));
}

// Where nobody says how many. Its graph is laid out anew for that, which goes to the servers among its devices.
int32_t automatic_threads(const lucifer_context & context) {
    return with_servers(context.model->links,
                        [&] { return cpu_computes(context.context.get(), context.model->devices) ? physical_cores() : 1; });
}

// Numbers of threads, 0 where nobody says.
void set_threads(lucifer_context & context, int32_t n_threads, int32_t n_threads_batch) {
    const int32_t single = n_threads > 0 ? n_threads : automatic_threads(context);
    const int32_t batch  = n_threads_batch > 0 ? n_threads_batch : single;
    llama_set_n_threads(context.context.get(), single, batch);
    context.threads.attach(context.context.get(), single, batch);
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_context_params_init(struct lucifer_context_params * params) {
    return guard("lucifer_context_params_init", [&] {
        require_size(params);
        const llama_context_params defaults = llama_context_default_params();
        *params                   = {};
        params->struct_size       = sizeof(*params);
        params->n_ctx             = (int32_t) defaults.n_ctx;
        params->n_batch           = (int32_t) defaults.n_batch;
        params->n_ubatch          = (int32_t) defaults.n_ubatch;
        params->n_seq_max         = (int32_t) defaults.n_seq_max;
        params->n_threads         = physical_cores();
        params->n_threads_batch   = params->n_threads;
        params->flash_attn        = defaults.flash_attn_type;
        params->type_k            = defaults.type_k;
        params->type_v            = defaults.type_v;
        params->pooling_type      = defaults.pooling_type;
        params->attention_type    = defaults.attention_type;
        params->rope_scaling_type = defaults.rope_scaling_type;
        params->rope_freq_base    = defaults.rope_freq_base;
        params->rope_freq_scale   = defaults.rope_freq_scale;
        params->yarn_ext_factor   = defaults.yarn_ext_factor;
        params->yarn_attn_factor  = defaults.yarn_attn_factor;
        params->yarn_beta_fast    = defaults.yarn_beta_fast;
        params->yarn_beta_slow    = defaults.yarn_beta_slow;
        params->yarn_orig_ctx     = (int32_t) defaults.yarn_orig_ctx;
        params->embeddings        = defaults.embeddings;
        params->offload_kqv       = defaults.offload_kqv;
        params->op_offload        = defaults.op_offload;
        params->swa_full          = defaults.swa_full;
        params->kv_unified        = defaults.kv_unified;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_init(const struct lucifer_context_params * params, struct lucifer_context ** out) {
    return guard_init("lucifer_context_init", params, [&] {
        lucifer_model * model = params->model;
        require(out, "out");
        if (model->vocab_only) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "%s was loaded without its weights (vocab_only)", model->path.c_str());
        }
        llama_context_params upstream = read_params(*params);
        require_positions(*model, *params);

        auto context                 = std::make_unique<lucifer_context>();
        context->model               = model;
        context->subject             = model->subject;
        upstream.abort_callback      = on_abort_poll;
        upstream.abort_callback_data = context.get();
        if (params->imatrix != LUCIFER_IMATRIX_NONE) {
            context->imatrix            = std::make_unique<collector>(params->imatrix == LUCIFER_IMATRIX_OUTPUT);
            upstream.cb_eval            = collector::on_node;
            upstream.cb_eval_user_data  = context->imatrix.get();
        }
        with_servers(model->links, [&] {
            if (is_causal(*model, *params)) { // else each text is seen as a whole, and nothing of it is kept
                require_cache_fits(*model, upstream); // asks the servers, too
            }
            context->context.reset(llama_init_from_model(model->model.get(), upstream));
            if (context->context == nullptr) {
                fail_init(*model);
            }
            return (int32_t) LUCIFER_STATUS_OK;
        });
        set_threads(*context, params->n_threads, params->n_threads_batch);
        const llama_context * c = context->context.get();
        context->n_vocab    = llama_vocab_n_tokens(model->vocab);
        context->n_batch    = (int32_t) llama_n_batch(c);
        context->n_ubatch   = (int32_t) llama_n_ubatch(c);
        context->n_seq_max  = (int32_t) llama_n_seq_max(c);
        context->has_memory = llama_get_memory(c) != nullptr;
        context->causal     = is_causal(*model, *params);
        context->embeddings = upstream.embeddings;
        context->kv_unified = upstream.kv_unified;
        context->n_seq_id.assign((size_t) context->n_batch, 1);
        context->seq_id.resize((size_t) context->n_batch);
        context->outputs.reserve((size_t) context->n_batch);
        *out = context.release();
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_free(struct lucifer_context * context) {
    if (context == nullptr) {
        return LUCIFER_STATUS_OK;
    }
    return guard("lucifer_context_free", context->subject, [&] {
        if (context->poisoned && !context->model->devices.empty()) {
            log_line(GGML_LOG_LEVEL_WARN, context->model->path + ": its device failed, so a context is left to the end of the process");
            (void) context->context.release();
        }
        delete context;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_describe(struct lucifer_context * context, struct lucifer_context_info * out) {
    return guard_object("lucifer_context_describe", context, [&] {
        require_size(out);
        llama_context * c = context->context.get();
        *out                 = {};
        out->struct_size     = sizeof(*out);
        out->state_bytes     = (int64_t) llama_state_get_size(c);
        out->n_ctx           = (int32_t) llama_n_ctx(c);
        out->n_ctx_seq       = n_ctx_seq(*context);
        out->n_batch         = context->n_batch;
        out->n_ubatch        = context->n_ubatch;
        out->n_seq_max       = context->n_seq_max;
        out->pooling_type    = llama_pooling_type(c);
        out->n_threads       = llama_n_threads(c);
        out->n_threads_batch = llama_n_threads_batch(c);
        out->can_shift       = context->has_memory && llama_memory_can_shift(llama_get_memory(c)) ? 1 : 0;
        out->has_memory      = context->has_memory ? 1 : 0;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_set_threads(struct lucifer_context * context, int32_t n_threads, int32_t n_threads_batch) {
    return guard_object("lucifer_context_set_threads", context, [&] {
        require_range("n_threads", n_threads, 0, GGML_MAX_N_THREADS);
        require_range("n_threads_batch", n_threads_batch, 0, GGML_MAX_N_THREADS);
        set_threads(*context, n_threads, n_threads_batch);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_context_set_adapters(struct lucifer_context * context, struct lucifer_adapter * const * adapters, const float * scales,
                                     int32_t n) {
    return guard_object("lucifer_context_set_adapters", context, [&] {
        if (n < 0 || (n > 0 && (adapters == nullptr || scales == nullptr))) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "adapters or scales is null or their number %d is negative", n);
        }
        std::vector<llama_adapter_lora *> upstream;
        std::vector<float>                values;
        for (int32_t i = 0; i < n; i++) {
            require(adapters[i], "an adapter");
            if (adapters[i]->model != context->model) {
                fail(LUCIFER_STATUS_INVALID_ARGUMENT, "adapter %s was loaded for another model", adapters[i]->subject);
            }
            require_finite("an adapter's scale", scales[i]);
            if (std::find(upstream.begin(), upstream.end(), adapters[i]->adapter.get()) != upstream.end()) {
                fail(LUCIFER_STATUS_INVALID_ARGUMENT, "adapter %s is given twice", adapters[i]->subject);
            }
            upstream.push_back(adapters[i]->adapter.get());
            values.push_back(scales[i]);
        }
        if (llama_set_adapters_lora(context->context.get(), upstream.data(), upstream.size(), values.data()) != 0) {
            fail(LUCIFER_STATUS_FAILED, "llama.cpp refuses the adapters");
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
