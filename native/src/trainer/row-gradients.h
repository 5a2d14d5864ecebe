// Gradient rules that take many plain operations as one of a ggml graph that runs on the CPU.

#pragma once

#include "ggml.h"

#include <utility>

namespace lucifer {

// Of y = RMS_NORM(x), g having come in, contiguous as y. x has contiguous rows.
ggml_tensor * new_rms_norm_gradient(ggml_context * ctx, const ggml_tensor * y, ggml_tensor * g);

// Of y = SWIGLU(x, up), all contiguous: the gradients of x and of up.
std::pair<ggml_tensor *, ggml_tensor *> new_swiglu_gradients(ggml_context * ctx, const ggml_tensor * y, ggml_tensor * g);

}  // namespace lucifer
