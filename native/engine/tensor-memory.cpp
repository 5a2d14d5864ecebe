// Caches and weights are allocated where there is memory for them. The system gives memory that it does not have, and ends the process
// when llama.cpp then fills it. Its calls are sent here by the linker's --wrap: see cmake/Engine.cmake.

#include "free-memory.h"

#include "ggml-alloc.h"
#include "ggml-backend.h"

#include <cstdio>
#include <stdexcept>

extern "C" ggml_backend_buffer_t __real_ggml_backend_alloc_ctx_tensors_from_buft(ggml_context * ctx, ggml_backend_buffer_type_t buft);
extern "C" ggml_backend_buffer_t __wrap_ggml_backend_alloc_ctx_tensors_from_buft(ggml_context * ctx, ggml_backend_buffer_type_t buft);

ggml_backend_buffer_t __wrap_ggml_backend_alloc_ctx_tensors_from_buft(ggml_context * ctx, ggml_backend_buffer_type_t buft) {
    constexpr double gib  = 1 << 30;
    const size_t     size = ggml_backend_buft_is_host(buft) ? ggml_backend_alloc_ctx_tensors_from_buft_size(ctx, buft) : 0;
    if (size > 0) {
        const size_t free = lucifer::memory_available(size);
        if (size > free) {
            char text[128];
            snprintf(text, sizeof(text), "failed to allocate %.1f GiB, %.1f GiB of memory are free", (double) size / gib, (double) free / gib);
            throw std::runtime_error(text);
        }
    }
    return __real_ggml_backend_alloc_ctx_tensors_from_buft(ctx, buft);
}
