// llama_model_quantize with a plan, progress, cancel and reasons. Upstream offers no callback, but logs on the calling thread
// before and after each tensor: the log hook reads the plan from it, counts, and throws when the cancel flag is set.

#include "quantize-plan.h"

#include "guard.h"
#include "imatrix.h"
#include "log.h"
#include "params.h"
#include "threads.h"

#include "llama.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <regex>

namespace lucifer {

namespace fs = std::filesystem;

namespace {

constexpr size_t max_pattern = 1000; // std::regex recurses

// Everything that llama_model_quantize_params points to.
struct quantize_request {
    llama_model_quantize_params              params = llama_model_quantize_default_params();
    std::string                              input;
    std::string                              output;
    std::string                              imatrix_file;
    imatrix                                  matrix;
    std::vector<llama_model_imatrix_data>    matrix_data;
    std::vector<llama_model_tensor_override> tensor_types;
    std::vector<llama_model_kv_override>     kv_overrides;
    std::vector<int32_t>                     prune_layers;
    bool                                     has_imatrix = false;
};

bool is_quantizable(int32_t type) {
    switch (type) {
        case GGML_TYPE_F32:
        case GGML_TYPE_F16:
        case GGML_TYPE_BF16: return true;
        case GGML_TYPE_Q8_1:
        case GGML_TYPE_Q8_K: return false; // for activations only
        default: return type >= 0 && type < GGML_TYPE_COUNT && ggml_blck_size((ggml_type) type) > 0 && ggml_is_quantized((ggml_type) type);
    }
}

ggml_type read_type(const char * what, int32_t type) {
    if (type == -1) {
        return GGML_TYPE_COUNT;
    }
    if (!is_quantizable(type)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s: ggml type %d is not one that weights can have", what, type);
    }
    return (ggml_type) type;
}

std::vector<std::string> read_names(const char * what, const char * const * names, int32_t n) {
    std::vector<std::string> out;
    for (int32_t i = 0; i < n; i++) {
        require(names, what);
        require(names[i], what);
        out.push_back(names[i]);
    }
    return out;
}

void add_override(std::vector<llama_model_kv_override> & list, const char * key, const std::string & text) {
    llama_model_kv_override kv = {};
    snprintf(kv.key, sizeof(kv.key), "%s", key);
    kv.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
    strncpy(kv.val_str, text.c_str(), sizeof(kv.val_str) - 1);
    list.push_back(kv);
}

void add_override(std::vector<llama_model_kv_override> & list, const char * key, int64_t value) {
    llama_model_kv_override kv = {};
    snprintf(kv.key, sizeof(kv.key), "%s", key);
    kv.tag     = LLAMA_KV_OVERRIDE_TYPE_INT;
    kv.val_i64 = value;
    list.push_back(kv);
}

void read_imatrix(const lucifer_quantize_params & in, quantize_request & out) {
    if (in.imatrix == nullptr) {
        return;
    }
    const auto include = read_names("include_weights", in.include_weights, in.n_include_weights);
    const auto exclude = read_names("exclude_weights", in.exclude_weights, in.n_exclude_weights);
    if (!include.empty() && !exclude.empty()) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "include_weights and exclude_weights exclude each other");
    }
    out.imatrix_file = in.imatrix;
    out.matrix       = imatrix_read(in.imatrix);
    imatrix_select(out.matrix, include, exclude);
    if (out.matrix.weights.empty()) {
        return; // as upstream: like no importance matrix at all
    }
    out.has_imatrix = true;
    for (const auto & entry : out.matrix.weights) {
        out.matrix_data.push_back({entry.first.c_str(), entry.second.data(), entry.second.size()});
    }
    out.matrix_data.push_back({nullptr, nullptr, 0});
    // the same keys in the same order as llama-quantize, for equal files
    add_override(out.kv_overrides, "quantize.imatrix.file", in.imatrix_name != nullptr ? in.imatrix_name : in.imatrix);
    if (!out.matrix.datasets.empty()) {
        add_override(out.kv_overrides, "quantize.imatrix.dataset", out.matrix.datasets[0]);
    }
    add_override(out.kv_overrides, "quantize.imatrix.entries_count", (int64_t) out.matrix.weights.size());
    if (out.matrix.chunk_count > 0) {
        add_override(out.kv_overrides, "quantize.imatrix.chunks_count", (int64_t) out.matrix.chunk_count);
    }
}

void read_tensor_types(const lucifer_quantize_params & in, quantize_request & out) {
    for (int32_t i = 0; i < in.n_tensor_types; i++) {
        require(in.tensor_types, "tensor_types");
        require(in.tensor_types[i].pattern, "a tensor pattern");
        const char * pattern = in.tensor_types[i].pattern;
        try {
            if (strlen(pattern) > max_pattern) {
                throw std::regex_error(std::regex_constants::error_complexity);
            }
            std::regex check(pattern);
        } catch (const std::regex_error & e) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tensor_type is '%.100s', expected a usable regular expression (%s)", pattern, e.what());
        }
        out.tensor_types.push_back({pattern, read_type(pattern, in.tensor_types[i].type)});
    }
    if (!out.tensor_types.empty()) {
        out.tensor_types.push_back({nullptr, GGML_TYPE_COUNT});
    }
}

void read_prune_layers(const lucifer_quantize_params & in, quantize_request & out) {
    for (int32_t i = 0; i < in.n_prune_layers; i++) {
        require(in.prune_layers, "prune_layers");
        if (in.prune_layers[i] < 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "prune_layers holds %d", in.prune_layers[i]);
        }
        out.prune_layers.push_back(in.prune_layers[i]);
    }
    std::sort(out.prune_layers.begin(), out.prune_layers.end());
    out.prune_layers.erase(std::unique(out.prune_layers.begin(), out.prune_layers.end()), out.prune_layers.end());
    if (!out.prune_layers.empty()) {
        out.prune_layers.push_back(-1);
    }
}

void read_files(const lucifer_quantize_params & in, quantize_request & out) {
    require(in.input, "input");
    out.input = in.input;
    std::error_code error;
    if (!fs::is_regular_file(fs::u8path(out.input), error)) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: no such file", in.input);
    }
    if (in.dry_run == 0) {
        require(in.output, "output");
        out.output = in.output;
        if (fs::equivalent(fs::u8path(out.input), fs::u8path(out.output), error)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s: the output would overwrite the input", in.output);
        }
    }
}

// Fills `out` in place: the parameters point into it.
void read_request(const lucifer_quantize_params & in, quantize_request & out) {
    read_files(in, out);
    if (in.n_threads < 0 || in.n_threads > 4096 || in.max_buffer_bytes < 0) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_threads is %d, max_buffer_bytes %lld, expected 0 to 4096 and no negative number",
             in.n_threads, (long long) in.max_buffer_bytes);
    }
    require_threads(in.n_threads);
    if (in.n_kv_overrides > 0) {
        require(in.kv_overrides, "kv_overrides");
        out.kv_overrides = read_kv_overrides(in.kv_overrides, in.n_kv_overrides);
        out.kv_overrides.pop_back(); // its end comes after those of the importance matrix
    }
    read_imatrix(in, out);
    if (!out.kv_overrides.empty()) {
        out.kv_overrides.push_back({});
    }
    read_tensor_types(in, out);
    read_prune_layers(in, out);

    llama_model_quantize_params & p = out.params;
    p.nthread                = in.n_threads;
    p.ftype                  = (llama_ftype) in.ftype;
    p.output_tensor_type     = read_type("output_tensor_type", in.output_tensor_type);
    p.token_embedding_type   = read_type("token_embedding_type", in.token_embedding_type);
    p.allow_requantize       = in.allow_requantize != 0;
    p.quantize_output_tensor = in.quantize_output_tensor != 0;
    p.only_copy              = in.only_copy != 0;
    p.pure                   = in.pure != 0;
    p.keep_split             = in.keep_split != 0;
    p.imatrix                = out.matrix_data.empty() ? nullptr : out.matrix_data.data();
    p.kv_overrides           = out.kv_overrides.empty() ? nullptr : out.kv_overrides.data();
    p.tt_overrides           = out.tensor_types.empty() ? nullptr : out.tensor_types.data();
    p.prune_layers           = out.prune_layers.empty() ? nullptr : out.prune_layers.data();
    p.max_buf_size           = (size_t) in.max_buffer_bytes;
    if (p.only_copy) {
        p.ftype = LLAMA_FTYPE_ALL_F32; // as upstream's COPY
    }
}

[[noreturn]] void fail_quantize(const std::string & file) {
    const std::string errors = call_errors();
    const char *      marker = "failed to quantize: ";
    const size_t      at     = errors.find(marker);
    std::string cause = at != std::string::npos ? errors.substr(at + strlen(marker), errors.find('\n', at) - at - strlen(marker))
                                                : call_last_error_line();
    int32_t status = LUCIFER_STATUS_INVALID_FILE;
    if (cause.find("invalid output file type") != std::string::npos) {
        status = LUCIFER_STATUS_INVALID_ARGUMENT;
    } else if (cause.find("unknown model architecture") != std::string::npos || cause.find("not supported") != std::string::npos ||
               cause.find("unsupported") != std::string::npos) {
        status = LUCIFER_STATUS_UNSUPPORTED;
    } else if (cause.find("iostream") != std::string::npos || cause.find("basic_ios") != std::string::npos) {
        status = LUCIFER_STATUS_FAILED;
        cause  = std::string("the output cannot be written: ") + strerror(errno);
    }
    fail(status, "%s: %s", file.c_str(), cause.empty() ? "llama.cpp could not quantize it, and does not say why" : cause.c_str());
}

// As upstream's tensor_requires_imatrix, and what ggml itself asserts.
bool needs_imatrix(const lucifer_planned_tensor & t, int32_t ftype) {
    const bool ends = strcmp(t.name, "token_embd.weight") == 0 || strcmp(t.name, "per_layer_token_embd.weight") == 0 ||
                      strcmp(t.name, "output.weight") == 0;
    switch (t.type_after) {
        case GGML_TYPE_IQ3_XXS:
        case GGML_TYPE_IQ2_S:
        case GGML_TYPE_IQ1_M: return !ends;
        case GGML_TYPE_Q2_K: return !ends && ftype == LLAMA_FTYPE_MOSTLY_Q2_K_S;
        default: return ggml_quantize_requires_imatrix((ggml_type) t.type_after);
    }
}

// What would fail in the middle of the work, or end the process on one of its threads.
void check_plan(const quantize_request & request, const quantize_plan & plan, lucifer_quantize_report & report) {
    for (const lucifer_planned_tensor & t : plan.tensors) {
        if (t.type_before == t.type_after) {
            continue;
        }
        if (ggml_is_quantized((ggml_type) t.type_before) && !request.params.allow_requantize) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT,
                 "%s: tensor %s is quantized already (%s); to quantize it again loses quality and has to be allowed (allow_requantize)",
                 request.input.c_str(), t.name, ggml_type_name((ggml_type) t.type_before));
        }
        const auto   entry    = request.matrix.weights.find(plan.original_name(t.name));
        const bool   found    = entry != request.matrix.weights.end();
        const size_t expected = (size_t) (t.ne[0] * t.ne[2]);
        const bool   fits     = found && entry->second.size() == expected;
        if (found && !fits && strcmp(t.name, "token_embd.weight") != 0) {
            fail(LUCIFER_STATUS_INVALID_FILE, "%s: the importance matrix has %zu values for tensor %s, expected %zu: it is of another model",
                 request.imatrix_file.c_str(), entry->second.size(), t.name, expected);
        }
        if (!fits && needs_imatrix(t, request.params.ftype)) {
            report.needs_imatrix = 1;
            if (!request.params.dry_run) {
                fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tensor %s becomes %s, which needs an importance matrix: %s", t.name,
                     ggml_type_name((ggml_type) t.type_after), request.has_imatrix ? "the given one has no entry for it" : "none is given");
            }
        }
    }
}

void remove_outputs(const quantize_request & request, int64_t n_parts) {
    std::error_code error;
    if (!request.params.keep_split) {
        fs::remove(fs::u8path(request.output), error);
        return;
    }
    for (int64_t i = 0; i < n_parts; i++) {
        char part[4096];
        if (llama_split_path(part, sizeof(part), request.output.c_str(), (int32_t) i, (int32_t) n_parts) > 0) {
            fs::remove(fs::u8path(part), error);
        }
    }
}

// How many parts the input has, from its name; 1 when it is whole.
int64_t count_parts(const std::string & input) {
    static const std::regex pattern("-00001-of-(\\d{5})\\.gguf$");
    std::smatch             match;
    return std::regex_search(input, match, pattern) ? std::stoll(match[1]) : 1;
}

void run(quantize_request & request, log_reader & reader) {
    log_listener listener(reader);
    const bool   failed = llama_model_quantize(request.input.c_str(), request.output.c_str(), &request.params) != 0;
    if (failed) {
        fail_quantize(request.input);
    }
}

quantize_plan make_plan(quantize_request & request) {
    quantize_plan plan(request.prune_layers);
    const bool    dry_run  = request.params.dry_run;
    request.params.dry_run = true;
    plan_reader reader(plan);
    try {
        run(request, reader);
    } catch (const abort_caught & e) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "%s: the types asked for do not fit its tensors: %s", request.input.c_str(), e.message.c_str());
    }
    request.params.dry_run = dry_run;
    return plan;
}

} // namespace

} // namespace lucifer

using namespace lucifer;

struct lucifer_quantize_plan {
    quantize_plan plan;
};

int32_t lucifer_quantize_params_init(struct lucifer_quantize_params * params) {
    return guard("lucifer_quantize_params_init", [&] {
        require_size(params);
        const llama_model_quantize_params defaults = llama_model_quantize_default_params();
        *params                        = {};
        params->struct_size            = sizeof(*params);
        params->ftype                  = defaults.ftype;
        params->output_tensor_type     = -1;
        params->token_embedding_type   = -1;
        params->quantize_output_tensor = defaults.quantize_output_tensor;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_quantize(const struct lucifer_quantize_params * params, struct lucifer_quantize_report * report,
                         struct lucifer_quantize_plan ** plan) {
    const bool   named   = params != nullptr && params->struct_size == (int64_t) sizeof(*params) && params->input != nullptr;
    const char * subject = named ? remember_subject(params->input) : nullptr;
    return guard("lucifer_quantize", subject, [&] {
        require_size(params);
        require_size(report);
        quantize_request request;
        read_request(*params, request);
        request.params.dry_run = params->dry_run != 0;

        auto made                      = std::make_unique<lucifer_quantize_plan>(lucifer_quantize_plan{make_plan(request)});
        lucifer_quantize_report result = made->plan.report();
        check_plan(request, made->plan, result);
        if (!request.params.dry_run) {
            progress_reader reader(made->plan, params->progress, params->cancel);
            try {
                run(request, reader);
            } catch (const log_cancelled &) {
                remove_outputs(request, count_parts(request.input));
                fail(LUCIFER_STATUS_CANCELLED, "%s: quantizing was cancelled", params->input);
            } catch (...) {
                remove_outputs(request, count_parts(request.input));
                throw;
            }
        }
        if (request.has_imatrix) {
            result.n_without_imatrix = made->plan.mark_imatrix(request.matrix);
        }
        *report = result;
        if (plan != nullptr) {
            *plan = made.release();
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_quantize_plan_tensor(const struct lucifer_quantize_plan * plan, int32_t index, struct lucifer_planned_tensor * out) {
    return guard("lucifer_quantize_plan_tensor", [&] {
        require(plan, "plan");
        require_size(out);
        const auto & tensors = plan->plan.tensors;
        if (index < 0 || (size_t) index >= tensors.size()) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tensor %d of %zu", index, tensors.size());
        }
        *out = tensors[(size_t) index];
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_quantize_plan_free(struct lucifer_quantize_plan * plan) {
    return guard("lucifer_quantize_plan_free", [&] {
        delete plan;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
