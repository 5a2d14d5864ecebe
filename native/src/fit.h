#pragma once

#include "lucifer_llama.h"

#include "llama.h"

#include <string>
#include <vector>

namespace lucifer {

// What llama.cpp's own fitting chose for the devices' free memory. Owns what it put into the model's parameters.
struct fitted {
    bool                                          took_place = false;
    uint32_t                                      n_ctx      = 0;
    std::vector<float>                            tensor_split;
    std::vector<llama_model_tensor_buft_override> overrides;
};

// Sets params.n_gpu_layers (and split and overrides) so that model and context fit; 0 layers where nothing fits.
fitted fit_to_devices(const std::string & path, const lucifer_model_params & asked, llama_model_params & params);

} // namespace lucifer
