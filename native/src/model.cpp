// Loads, frees and describes a model.

#include "backends.h"
#include "fit.h"
#include "log.h"
#include "objects.h"
#include "params.h"
#include "rpc.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#if defined(__GLIBC__)
#    include <malloc.h>
#endif

namespace lucifer {

std::string meta_value(const llama_model * model, const char * key) {
    std::vector<char> text(256);
    int32_t           n = llama_model_meta_val_str(model, key, text.data(), text.size());
    if (n >= (int32_t) text.size()) {
        text.resize((size_t) n + 1);
        n = llama_model_meta_val_str(model, key, text.data(), text.size());
    }
    return n > 0 ? std::string(text.data(), (size_t) n) : "";
}

void require_servers(const std::vector<rpc_link> & links) {
    for (const rpc_link & link : links) {
        const std::string why = link.fault();
        if (!why.empty()) {
            fail(LUCIFER_STATUS_FAILED, "the rpc-server at %s has failed, and what was loaded on it is lost: %s", link.address().c_str(),
                 why.c_str());
        }
    }
}

int32_t judged(const char * what, const std::vector<rpc_link> & links, int32_t status) noexcept {
    if (links.empty()) {
        return status;
    }
    const int32_t servers = guard(what, [&] {
        require_servers(links);
        return (int32_t) LUCIFER_STATUS_OK;
    });
    return servers == LUCIFER_STATUS_OK ? status : servers;
}

namespace {

// Everything that llama_model_params points to.
struct load_request {
    llama_model_params                   params = llama_model_default_params();
    std::vector<const char *>            paths;
    std::vector<ggml_backend_dev_t>      device_list; // null-terminated, or empty for all
    std::vector<float>                   tensor_split;
    std::vector<llama_model_kv_override> kv_overrides;
    fitted                               fit;
    int64_t *                            progress  = nullptr;
    const int32_t *                      cancel    = nullptr;
    bool                                 cancelled = false;
};

void write_cell(int64_t * cells, int index, int64_t value) {
    ((volatile int64_t *) cells)[index] = value;
}

bool on_progress(float progress, void * data) {
    load_request & request = *(load_request *) data;
    if (request.progress != nullptr) {
        write_cell(request.progress, 0, (int64_t) (progress * 1000));
        write_cell(request.progress, 1, 1000);
    }
    if (is_set(request.cancel)) {
        request.cancelled = true;
    }
    return !request.cancelled;
}

std::vector<const char *> read_paths(const lucifer_model_params & in) {
    require(in.paths, "paths");
    require_range("n_paths", in.n_paths, 1, 65535);
    std::vector<const char *> paths(in.paths, in.paths + in.n_paths);
    for (const char * path : paths) {
        require(path, "a path");
    }
    return paths;
}

std::vector<ggml_backend_dev_t> read_devices(const lucifer_model_params & in) {
    std::vector<ggml_backend_dev_t> list;
    if (in.devices == nullptr || in.n_devices <= 0) {
        return list;
    }
    for (int32_t i = 0; i < in.n_devices; i++) {
        require(in.devices[i], "a device name");
        const ggml_backend_dev_t device = device_by_name(in.devices[i]);
        if (device == nullptr) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "unknown device '%s', expected one of: %s", in.devices[i], device_names().c_str());
        }
        if (is_gpu(device) && std::find(list.begin(), list.end(), device) == list.end()) {
            list.push_back(device); // the CPU is always there
        }
    }
    require_range("number of devices", (int64_t) list.size(), 0, (int64_t) llama_max_devices());
    list.push_back(nullptr);
    return list;
}

std::vector<float> read_tensor_split(const lucifer_model_params & in) {
    std::vector<float> split;
    if (in.tensor_split == nullptr || in.n_tensor_split <= 0) {
        return split;
    }
    require_range("n_tensor_split", in.n_tensor_split, 0, (int64_t) llama_max_devices());
    split.assign(in.tensor_split, in.tensor_split + in.n_tensor_split);
    for (float share : split) {
        if (!std::isfinite(share) || share < 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tensor_split holds %g, expected shares that are not negative", (double) share);
        }
    }
    split.resize(llama_max_devices());
    return split;
}

bool contains(const std::string & text, std::initializer_list<const char *> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](const char * part) { return text.find(part) != std::string::npos; });
}

[[noreturn]] void fail_load(const load_request & request) {
    if (request.cancelled) {
        fail(LUCIFER_STATUS_CANCELLED, "%s: loading was cancelled", request.paths[0]);
    }
    const std::string errors = call_errors();
    const char *      marker = "error loading model: ";
    const size_t      at     = errors.find(marker);
    const std::string cause  = at != std::string::npos ? errors.substr(at + strlen(marker), errors.find('\n', at) - at - strlen(marker))
                                                       : errors.substr(0, errors.find('\n'));
    int32_t status = LUCIFER_STATUS_INVALID_FILE;
    if (contains(errors, {"failed to allocate", "unable to allocate", "out of memory", "bad_alloc", "alloc_tensor_range: failed"})) {
        status = LUCIFER_STATUS_OUT_OF_MEMORY;
    } else if (contains(errors, {"unknown model architecture", "unknown pre-tokenizer", "unknown tokenizer", "cannot be used as main model",
                                 "not supported"})) {
        status = LUCIFER_STATUS_UNSUPPORTED;
    } else if (contains(errors, {"invalid value for main_gpu", "SPLIT_MODE_TENSOR"})) {
        status = LUCIFER_STATUS_INVALID_ARGUMENT;
    }
    fail(status, "%s: %s", request.paths[0], cause.empty() ? "llama.cpp could not load it, and does not say why" : cause.c_str());
}

// The devices that layers can go to.
std::vector<ggml_backend_dev_t> offload_devices(const load_request & request) {
    std::vector<ggml_backend_dev_t> devices;
    if (!request.device_list.empty()) {
        devices.assign(request.device_list.begin(), request.device_list.end() - 1);
        return devices;
    }
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        if (is_gpu(ggml_backend_dev_get(i))) {
            devices.push_back(ggml_backend_dev_get(i));
        }
    }
    return devices;
}

// Without layers on a device llama.cpp asks every device for its memory all the same, and waits for an rpc-server that does not
// answer. The local ones stay: large batches are computed on them.
void leave_out_rpc(load_request & request) {
    bool has_rpc = false, has_discrete = false;
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        const bool         rpc    = !rpc_address(device).empty();
        has_rpc      = has_rpc || rpc;
        has_discrete = has_discrete || (!rpc && ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_GPU);
    }
    if (!has_rpc || !request.device_list.empty()) {
        return;
    }
    for (ggml_backend_dev_t device : offload_devices(request)) {
        if (rpc_address(device).empty() && (!has_discrete || ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_GPU)) {
            request.device_list.push_back(device);
        }
    }
    request.device_list.push_back(nullptr);
    request.params.devices = request.device_list.data();
}

load_request read_request(const lucifer_model_params & in) {
    load_request request;
    request.paths        = read_paths(in);
    request.device_list  = read_devices(in);
    request.tensor_split = read_tensor_split(in);
    if (in.n_kv_overrides > 0) {
        require(in.kv_overrides, "kv_overrides");
        request.kv_overrides = read_kv_overrides(in.kv_overrides, in.n_kv_overrides);
    }
    require_range("n_gpu_layers", in.n_gpu_layers, LUCIFER_GPU_LAYERS_AUTO, INT32_MAX);
    require_range("split_mode", in.split_mode, LLAMA_SPLIT_MODE_NONE, LLAMA_SPLIT_MODE_TENSOR);
    require_range("load_mode", in.load_mode, LLAMA_LOAD_MODE_AUTO, LLAMA_LOAD_MODE_DIRECT_IO);
    require_range("fit_margin", in.fit_margin, 0, INT64_MAX);
    require_range("fit_n_ctx", in.fit_n_ctx, 0, INT32_MAX);
    require_range("n_positions", in.n_positions, 0, INT32_MAX);
    request.progress = in.progress;
    request.cancel   = in.cancel;

    llama_model_params & params = request.params;
    params.devices              = request.device_list.empty() ? nullptr : request.device_list.data();
    params.tensor_split         = request.tensor_split.empty() ? nullptr : request.tensor_split.data();
    params.kv_overrides         = request.kv_overrides.empty() ? nullptr : request.kv_overrides.data();
    params.n_gpu_layers         = in.n_gpu_layers;
    params.split_mode           = (llama_split_mode) in.split_mode;
    params.load_mode            = (llama_load_mode) in.load_mode;
    params.main_gpu             = in.main_gpu;
    params.vocab_only           = in.vocab_only != 0;
    params.check_tensors        = in.check_tensors != 0;
    params.use_extra_bufts      = in.use_extra_bufts != 0;
    params.progress_callback    = on_progress;
    return request;
}

// What llama.cpp believes and its kernels assert on, on worker threads, which ends the process.
void check_metadata(const char * path, const llama_model * model) {
    const std::string arch = meta_value(model, "general.architecture");
    for (const char * name : {"layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon"}) {
        const std::string key  = arch + ".attention." + name;
        const std::string text = meta_value(model, key.c_str());
        if (!text.empty() && !(atof(text.c_str()) >= 0)) {
            fail(LUCIFER_STATUS_INVALID_FILE, "%s: %s is %s, expected a number that is not negative", path, key.c_str(), text.c_str());
        }
    }
}

llama_model_ptr load(load_request & request, bool on_cpu_only) {
    request.params.progress_callback_user_data = &request;
    llama_model_ptr model;
    try {
        model.reset(request.paths.size() == 1
                        ? llama_model_load_from_file(request.paths[0], request.params)
                        : llama_model_load_from_splits(request.paths.data(), request.paths.size(), request.params));
    } catch (const abort_caught & e) {
        if (!on_cpu_only) {
            throw; // may be the device's fault
        }
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: an assertion of llama.cpp failed: %s", request.paths[0], e.message.c_str());
    }
    if (model == nullptr) {
        fail_load(request);
    }
    check_metadata(request.paths[0], model.get());
    return model;
}

int32_t yes(bool value) {
    return value ? 1 : 0;
}

void describe(const lucifer_model & m, lucifer_model_info & out) {
    const llama_model * model = m.model.get();
    const llama_vocab * vocab = m.vocab;
    out                = {};
    out.struct_size    = sizeof(out);
    out.n_params       = (int64_t) llama_model_n_params(model);
    out.size_bytes     = (int64_t) llama_model_size(model);
    out.n_ctx_train    = llama_model_n_ctx_train(model);
    out.n_embd         = llama_model_n_embd(model);
    out.n_embd_out     = llama_model_n_embd_out(model);
    out.n_layer        = llama_model_n_layer(model);
    out.n_head         = out.n_layer > 0 ? llama_model_n_head(model) : 0; // asserts without layers (vocab_only)
    out.n_head_kv      = out.n_layer > 0 ? llama_model_n_head_kv(model) : 0;
    out.n_vocab        = llama_vocab_n_tokens(vocab);
    out.vocab_type     = llama_vocab_type(vocab);
    out.ftype          = llama_model_ftype(model);
    out.rope_type      = llama_model_rope_type(model);
    out.pooling_type   = -1;
    const std::string pooling = meta_value(model, (meta_value(model, "general.architecture") + ".pooling_type").c_str());
    if (!pooling.empty()) {
        out.pooling_type = atoi(pooling.c_str());
    }
    out.n_cls_out     = (int32_t) llama_model_n_cls_out(model);
    out.token_bos     = llama_vocab_bos(vocab);
    out.token_eos     = llama_vocab_eos(vocab);
    out.token_eot     = llama_vocab_eot(vocab);
    out.token_sep     = llama_vocab_sep(vocab);
    out.token_nl      = llama_vocab_nl(vocab);
    out.token_pad     = llama_vocab_pad(vocab);
    out.decoder_start = llama_model_decoder_start_token(model);
    out.add_bos       = yes(llama_vocab_get_add_bos(vocab));
    out.add_eos       = yes(llama_vocab_get_add_eos(vocab));
    out.has_encoder   = yes(llama_model_has_encoder(model));
    out.has_decoder   = yes(llama_model_has_decoder(model));
    out.is_recurrent  = yes(llama_model_is_recurrent(model));
    out.is_hybrid     = yes(llama_model_is_hybrid(model));
    out.is_diffusion  = yes(llama_model_is_diffusion(model));
    out.n_swa         = llama_model_n_swa(model);
    out.n_gpu_layers  = m.n_gpu_layers;
    out.fit_n_ctx     = m.fit_n_ctx;
    out.description   = m.description.c_str();
    out.eog           = m.eog.data();
    out.n_eog         = (int64_t) m.eog.size();
}

std::vector<rpc_link> links_to(const std::vector<ggml_backend_dev_t> & devices) {
    std::vector<rpc_link> links;
    for (ggml_backend_dev_t device : devices) {
        const std::string address = rpc_address(device);
        if (!address.empty()) {
            links.emplace_back(address);
        }
    }
    return links;
}

} // namespace

void fail_broken(const lucifer_model & model, const std::string & what) {
    fail(LUCIFER_STATUS_FAILED, "%s: %s: weights of the model, or of an adapter, are broken", model.path.c_str(), what.c_str());
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_model_params_init(struct lucifer_model_params * params) {
    return guard("lucifer_model_params_init", [&] {
        require_size(params);
        const llama_model_params defaults = llama_model_default_params();
        *params                 = {};
        params->struct_size     = sizeof(*params);
        params->n_gpu_layers    = LUCIFER_GPU_LAYERS_AUTO;
        params->fit_margin      = 1024LL * 1024 * 1024;
        params->split_mode      = defaults.split_mode;
        params->load_mode       = defaults.load_mode;
        params->main_gpu        = defaults.main_gpu;
        params->check_tensors   = yes(defaults.check_tensors);
        params->use_extra_bufts = yes(defaults.use_extra_bufts);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_model_load(const struct lucifer_model_params * params, struct lucifer_model ** out) {
    const bool   named   = params != nullptr && params->struct_size == (int64_t) sizeof(*params) && params->paths && params->n_paths > 0;
    const char * subject = named && params->paths[0] ? remember_subject(params->paths[0]) : nullptr;
    return guard("lucifer_model_load", subject, [&] {
        require_size(params);
        require(out, "out");
        load_request request = read_request(*params);
        const auto   devices = offload_devices(request);

        if (params->n_gpu_layers == LUCIFER_GPU_LAYERS_AUTO && (devices.empty() || params->vocab_only)) {
            request.params.n_gpu_layers = 0;
        }
        if (request.params.n_gpu_layers != 0) {
            std::for_each(devices.begin(), devices.end(), rpc_require);
        } else {
            leave_out_rpc(request);
        }
        const auto links = request.params.n_gpu_layers != 0 ? links_to(devices) : std::vector<rpc_link>();
        if (request.params.n_gpu_layers == LUCIFER_GPU_LAYERS_AUTO) {
            request.fit = fit_to_devices(request.paths[0], *params, request.params);
            require_servers(links);
        }
        if (is_set(request.cancel)) {
            request.cancelled = true;
            fail_load(request);
        }
        return with_servers(links, [&] {
            auto model          = std::make_unique<lucifer_model>(load(request, devices.empty()), request.paths[0]);
            const int32_t n_all = llama_model_n_layer(model->model.get()) + 1; // and the output layer
            const int32_t asked = request.params.n_gpu_layers;
            model->n_gpu_layers = devices.empty() ? 0 : asked < 0 ? n_all : std::min(asked, n_all);
            model->fit_n_ctx    = (int32_t) request.fit.n_ctx;
            model->vocab_only   = params->vocab_only != 0;
            model->n_positions  = params->n_positions;
            if (model->n_gpu_layers > 0) {
                model->devices = devices;
                model->links   = links;
            }
            require_servers(model->links);
            for (const rpc_link & link : model->links) {
                rpc_hold(link.address());
            }
            *out = model.release();
            return (int32_t) LUCIFER_STATUS_OK;
        });
    });
}

int32_t lucifer_model_free(struct lucifer_model * model) {
    if (model == nullptr) {
        return LUCIFER_STATUS_OK;
    }
    return guard("lucifer_model_free", model->subject, [&] {
        for (const rpc_link & link : model->links) {
            rpc_release(link.address());
        }
        if (model->poisoned && !model->devices.empty()) {
            log_line(GGML_LOG_LEVEL_WARN, model->path + ": its device failed, so its memory is left to the end of the process");
            (void) model->model.release();
        }
        delete model;
#if defined(__GLIBC__)
        malloc_trim(0); // glibc keeps what is freed, in an arena for each thread: resident memory would grow as if something leaked
#endif
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_model_describe(const struct lucifer_model * model, struct lucifer_model_info * out) {
    return guard_object("lucifer_model_describe", model, [&] {
        require_size(out);
        describe(*model, *out);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
