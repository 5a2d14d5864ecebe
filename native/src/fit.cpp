#include "fit.h"

#include "guard.h"
#include "log.h"

#include "common/fit.h"

#include <stdexcept>

namespace lucifer {

fitted fit_to_devices(const std::string & path, const lucifer_model_params & asked, llama_model_params & params) {
    constexpr uint32_t n_ctx_min = 4096; // as upstream's tools

    fitted result;
    result.took_place = true;
    result.tensor_split.resize(llama_max_devices());
    result.overrides.resize(llama_max_tensor_buft_overrides());
    std::vector<size_t> margins(llama_max_devices(), (size_t) asked.fit_margin);

    llama_context_params context = llama_context_default_params();
    context.n_ctx                = (uint32_t) asked.fit_n_ctx;
    if (asked.fit_n_ubatch > 0) {
        context.n_ubatch = (uint32_t) asked.fit_n_ubatch;
    }

    llama_model_params trial     = params;
    trial.n_gpu_layers           = llama_model_default_params().n_gpu_layers; // only defaults are changed
    trial.tensor_buft_overrides  = result.overrides.data();
    trial.progress_callback      = nullptr;
    trial.tensor_split           = result.tensor_split.data();

    log_restore restore; // it borrows the logger, and does not give it back when it throws
    common_params_fit_status status = COMMON_PARAMS_FIT_STATUS_ERROR;
    try {
        status = common_fit_params(path.c_str(), &trial, &context, result.tensor_split.data(), result.overrides.data(), margins.data(),
                                   n_ctx_min, nullptr, GGML_LOG_LEVEL_ERROR);
    } catch (const std::runtime_error & e) {
        log_line(GGML_LOG_LEVEL_WARN, std::string("fitting the model to the devices failed: ") + e.what());
    }
    if (status == COMMON_PARAMS_FIT_STATUS_SUCCESS) {
        params.n_gpu_layers          = trial.n_gpu_layers;
        params.tensor_split          = trial.tensor_split;
        params.tensor_buft_overrides = trial.tensor_buft_overrides;
        result.n_ctx                 = context.n_ctx;
    } else {
        log_line(GGML_LOG_LEVEL_WARN, "the model does not fit into the devices' free memory: it stays on the CPU");
        params.n_gpu_layers = 0;
    }
    return result;
}

} // namespace lucifer
