#pragma once

// What of a context's work is left to the CPU.

#include "ggml-backend.h"
#include "llama.h"

#include <vector>

namespace lucifer {

// Whether the CPU computes anything that threads could share. False where the devices hold all weights but those that rows are only
// looked up in, and the whole cache, and know every operation: a second thread would do nothing but wait for work, and threads of ggml
// do so by spinning. The context's graph is laid out anew.
bool cpu_computes(llama_context * context, const std::vector<ggml_backend_dev_t> & devices);

} // namespace lucifer
