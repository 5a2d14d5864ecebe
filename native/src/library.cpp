// The library as a whole: versions, start, last error, and failing on purpose.

#include "abort.h"
#include "backends.h"
#include "guard.h"
#include "log.h"

#include "build-info.h"
#include "llama.h"
#include "ggml-cpp.h"

#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace lucifer;

int32_t lucifer_abi_version(int32_t * version) {
    return guard("lucifer_abi_version", [&] {
        require(version, "version");
        *version = LUCIFER_ABI_VERSION;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_init(const char * backend_dir) {
    static std::mutex mutex;
    static bool       hooked = false;
    static bool       ready  = false;
    return guard("lucifer_init", [&] {
        std::lock_guard<std::mutex> lock(mutex);
        if (!hooked) {
            log_install();
            abort_hook_install();
            hooked = true;
        }
        if (!ready) {
            backends_load(backend_dir == nullptr ? "" : backend_dir);
            ready = true;
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

static std::string build_info() {
    return "llama.cpp=" LUCIFER_INFO_LLAMA_CPP_VERSION "\n"
           "llama.cpp.commit=" LUCIFER_INFO_LLAMA_CPP_COMMIT "\n"
           "ggml=" LUCIFER_INFO_GGML_VERSION "\n"
           "compiler=" LUCIFER_INFO_COMPILER "\n"
           "build=" LUCIFER_INFO_BUILD "\n"
           "backends=" LUCIFER_INFO_BACKENDS "\n";
}

int32_t lucifer_build_info(char * buf, int64_t cap, int64_t * len) {
    return guard("lucifer_build_info", [&] { return put_text(build_info(), buf, cap, len); });
}

int32_t lucifer_last_error(char * buf, int64_t cap, int64_t * len) {
    // not through guard(): that would clear what it asks for
    try {
        return put_text(last_error(), buf, cap, len);
    } catch (...) {
        return LUCIFER_STATUS_INVALID_ARGUMENT;
    }
}

static void fail_in_compute(ggml_tensor * /*dst*/, const ggml_tensor * /*a*/, int ith, int /*nth*/, void * thread) {
    GGML_ASSERT(ith != *(const int *) thread && "provoked inside a graph");
}

// thread: which one of the two threads of the graph fails
static void compute_and_fail(int thread) {
    std::vector<uint8_t> memory(ggml_tensor_overhead() * 8 + ggml_graph_overhead() + 4096);
    ggml_init_params     params = {memory.size(), memory.data(), false};
    ggml_context_ptr     context(ggml_init(params));
    ggml_tensor *        a     = ggml_new_tensor_1d(context.get(), GGML_TYPE_F32, 16);
    ggml_tensor *        b     = ggml_map_custom1(context.get(), a, fail_in_compute, 2, &thread);
    ggml_cgraph *        graph = ggml_new_graph(context.get());
    ggml_build_forward_expand(graph, b);

    ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_ptr   backend(ggml_backend_dev_init(device, nullptr));
    using set_threads_t = void (*)(ggml_backend_t, int);
    const auto set_threads =
        (set_threads_t) ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_set_n_threads");
    if (set_threads != nullptr) {
        set_threads(backend.get(), 2);
    }
    ggml_backend_graph_compute(backend.get(), graph);
}

static void fail_in_c() {
    std::vector<uint8_t> memory(ggml_tensor_overhead() * 8 + 4096);
    ggml_init_params     params = {memory.size(), memory.data(), false};
    ggml_context_ptr     context(ggml_init(params));
    ggml_tensor *        a = ggml_new_tensor_1d(context.get(), GGML_TYPE_F32, 16);
    ggml_reshape_2d(context.get(), a, 5, 5); // 16 elements as 25
}

int32_t lucifer_provoke(int32_t kind) {
    return guard("lucifer_provoke", "(provoked)", [&] {
        switch (kind) {
            case 0: throw std::runtime_error("provoked");
            case 1: fail_in_c(); break;
            case 2: compute_and_fail(0); break;
            case 3: compute_and_fail(1); break;
            default: fail(LUCIFER_STATUS_INVALID_ARGUMENT, "kind is %d, expected 0 to 3", kind);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_ggml_type(int32_t type, char * name, int64_t cap, int64_t * len, int64_t * block_elements, int64_t * block_bytes) {
    return guard("lucifer_ggml_type", [&] {
        require(block_elements, "block_elements");
        require(block_bytes, "block_bytes");
        // removed types keep their id, without a size
        if (type < 0 || type >= GGML_TYPE_COUNT || ggml_blck_size((ggml_type) type) == 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "ggml has no type %d", type);
        }
        const std::string text   = ggml_type_name((ggml_type) type);
        const int32_t     status = put_text(text, name, cap, len);
        if (status == LUCIFER_STATUS_OK) {
            *block_elements = ggml_blck_size((ggml_type) type);
            *block_bytes    = (int64_t) ggml_type_size((ggml_type) type);
        }
        return status;
    });
}
