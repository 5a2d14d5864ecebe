#pragma once

// The worker threads of one context: ggml's, kept from one computation to the next. Without them ggml starts and ends threads for
// every token, which costs more than a small model's computation.

#include "llama.h"

#include <cstdint>

namespace lucifer {

// Refuses, as out of memory, more threads than the process can start now. ggml asserts that its threads start, in places where a
// failed assertion can only end the process.
void require_threads(int32_t n_threads);

class thread_pools {
public:
    thread_pools() = default;
    ~thread_pools();
    thread_pools(const thread_pools &) = delete;
    thread_pools & operator=(const thread_pools &) = delete;

    // Makes the pools and gives them to the context, which must be freed before them. Again: replaces them.
    void attach(llama_context * context, int32_t n_threads, int32_t n_threads_batch);

private:
    void free();

    ggml_threadpool_t single_ = nullptr; // for single tokens
    ggml_threadpool_t batch_  = nullptr; // for prompts; the same one when the numbers are equal
};

} // namespace lucifer
