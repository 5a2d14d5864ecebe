// Makes and frees the worker threads of contexts.

#include "threads.h"

#include "guard.h"

#include "ggml-backend.h"
#include "ggml-cpu.h"

#include <algorithm>
#include <mutex>
#include <vector>

#if !defined(_WIN32)
#    include <pthread.h>
#endif

namespace lucifer {

namespace {

// The functions of the CPU backend that is loaded: it may be a library of its own, so they cannot be linked.
template <typename F>
F * cpu_function(const char * name) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    return cpu == nullptr ? nullptr : (F *) ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(cpu), name);
}

ggml_threadpool_t make_pool(int32_t n_threads) {
    require_threads(n_threads);
    auto * make = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new");
    if (make == nullptr) {
        return nullptr; // ggml then makes threads as it needs them
    }
    ggml_threadpool_params params = ggml_threadpool_params_default(n_threads);
    ggml_threadpool_t      pool   = make(&params);
    if (pool == nullptr) {
        fail(LUCIFER_STATUS_OUT_OF_MEMORY, "%d worker threads could not be started", n_threads);
    }
    return pool;
}

void free_pool(ggml_threadpool_t pool) {
    auto * end = cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free");
    if (pool != nullptr && end != nullptr) {
        end(pool);
    }
}

} // namespace

#if defined(_WIN32)
void require_threads(int32_t) {}
#else
// By pthread_create itself: while the memory is used up, an exception may find none for the thread's own data, and glibc aborts.
void require_threads(int32_t n_threads) {
    std::vector<pthread_t> started((size_t) std::max(0, n_threads));
    std::mutex             end;
    size_t                 n = 0;
    {
        const std::lock_guard<std::mutex> lock(end);
        auto                              wait = [](void * mutex) -> void * {
            const std::lock_guard<std::mutex> until_the_end(*(std::mutex *) mutex);
            return nullptr;
        };
        while (n + 1 < started.size() && pthread_create(&started[n], nullptr, wait, &end) == 0) { // the caller is one of them
            n++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        pthread_join(started[i], nullptr);
    }
    if (n + 1 < started.size()) {
        fail(LUCIFER_STATUS_OUT_OF_MEMORY, "only %zu of %d threads can be started: a limit of the system, or no memory for more", n + 1,
             n_threads);
    }
}
#endif

thread_pools::~thread_pools() {
    free();
}

void thread_pools::free() {
    if (batch_ != single_) {
        free_pool(batch_);
    }
    free_pool(single_);
    single_ = batch_ = nullptr;
}

void thread_pools::attach(llama_context * context, int32_t n_threads, int32_t n_threads_batch) {
    llama_detach_threadpool(context);
    free();
    single_ = make_pool(n_threads);
    // a pool must have exactly as many threads as the graph is split into
    batch_ = n_threads == n_threads_batch ? single_ : make_pool(n_threads_batch);
    if (single_ != nullptr) {
        llama_attach_threadpool(context, single_, batch_);
    }
}

} // namespace lucifer
