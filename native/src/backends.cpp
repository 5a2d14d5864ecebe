#include "backends.h"

#include "free-memory.h"
#include "guard.h"
#include "host.h"
#include "log.h"
#include "rpc.h"

#include "llama.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

namespace lucifer {

namespace fs = std::filesystem;

namespace {
// ggml's registry has no lock of its own
std::mutex                         g_registry_mutex;
std::string                        g_skipped;
std::map<std::string, int>         g_rpc_held;
std::map<std::string, int32_t>     g_rpc_added; // address → number of devices
constexpr int                      rpc_timeout_millis = 5000;
} // namespace

static std::string why_not_loaded(const fs::path & path, bool is_cpu, bool has_cpu) {
    shared_library library(path.string());
    if (!library.error().empty()) {
        return library.error();
    }
    using score_t = int (*)();
    const auto score = (score_t) library.symbol("ggml_backend_score");
    if (score != nullptr && score() == 0) {
        return is_cpu ? "this CPU lacks instructions that it needs" : "not supported on this machine";
    }
    if (is_cpu && has_cpu) {
        return "another CPU variant fits this machine better";
    }
    return library.symbol("ggml_backend_init") == nullptr ? "not a backend library" : "it could not be initialized";
}

static void note_skipped(const std::string & dir) {
    std::set<std::string> loaded;
    bool                  has_cpu = false;
    for (size_t i = 0; i < ggml_backend_reg_count(); i++) {
        ggml_backend_reg_t reg  = ggml_backend_reg_get(i);
        const std::string  file = fs::path(library_of(reg)).filename().string();
        loaded.insert(file);
        has_cpu = has_cpu || strcmp(ggml_backend_reg_name(reg), "CPU") == 0;
        if (ggml_backend_reg_dev_count(reg) == 0 && strcmp(ggml_backend_reg_name(reg), "RPC") != 0) {
            const std::string cause = call_last_error_line();
            g_skipped += file + "\tloaded, but it finds no device" + (cause.empty() ? "" : ": " + cause) + "\n";
        }
    }
    std::vector<fs::path> files;
    std::error_code       error;
    for (fs::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
        const std::string name = it->path().filename().string();
        if (is_backend_file(name) && loaded.count(name) == 0) {
            files.push_back(it->path());
        }
    }
    std::sort(files.begin(), files.end());
    for (const fs::path & file : files) {
        const std::string name   = file.filename().string();
        const bool        is_cpu = name.find("ggml-cpu") != std::string::npos;
        g_skipped += name + "\t" + why_not_loaded(file, is_cpu, has_cpu) + "\n";
    }
}

void backends_load(const std::string & dir) {
    std::lock_guard<std::mutex> lock(g_registry_mutex);
#if defined(LUCIFER_BACKEND_DL)
    if (!dir.empty()) {
        if (!fs::is_directory(fs::u8path(dir))) {
            fail(LUCIFER_STATUS_INVALID_FILE, "%s: the folder with the backend libraries does not exist", dir.c_str());
        }
        ggml_backend_load_all_from_path(dir.c_str());
        note_skipped(dir);
    }
#else
    (void) dir;      // every backend is linked in
    (void) note_skipped;
#endif
    llama_backend_init();
    if (ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU) == nullptr) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "no CPU backend could be loaded from %s\n%s", dir.empty() ? "(no folder given)" : dir.c_str(),
             g_skipped.c_str());
    }
}

ggml_backend_dev_t device_by_name(const std::string & name) {
    std::lock_guard<std::mutex> lock(g_registry_mutex);
    return ggml_backend_dev_by_name(name.c_str());
}

std::string device_names() {
    std::lock_guard<std::mutex> lock(g_registry_mutex);
    std::string                 names;
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        names += (i == 0 ? "" : ", ") + std::string(ggml_backend_dev_name(ggml_backend_dev_get(i)));
    }
    return names;
}

bool is_gpu(ggml_backend_dev_t device) {
    const auto type = ggml_backend_dev_type(device);
    return type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU;
}

bool has_gpu() {
    std::lock_guard<std::mutex> lock(g_registry_mutex);
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        if (is_gpu(ggml_backend_dev_get(i))) {
            return true;
        }
    }
    return false;
}

std::string rpc_address(ggml_backend_dev_t device) {
    ggml_backend_reg_t reg = ggml_backend_dev_backend_reg(device);
    return strcmp(ggml_backend_reg_name(reg), "RPC") == 0 ? ggml_backend_dev_description(device) : "";
}

void rpc_hold(const std::string & address) {
    std::lock_guard<std::mutex> lock(g_registry_mutex);
    g_rpc_held[address]++;
}

void rpc_release(const std::string & address) {
    std::lock_guard<std::mutex> lock(g_registry_mutex);
    g_rpc_held[address]--;
}

static std::string rpc_why_silent(const std::string & address) {
    {
        std::lock_guard<std::mutex> lock(g_registry_mutex);
        if (g_rpc_held[address] > 0) {
            return rpc_link(address).fault();
        }
    }
    return rpc_probe(rpc_parse_endpoint(address), rpc_timeout_millis);
}

void rpc_require(ggml_backend_dev_t device) {
    const std::string address = rpc_address(device);
    const std::string why     = address.empty() ? "" : rpc_why_silent(address);
    if (!why.empty()) {
        fail(LUCIFER_STATUS_FAILED, "the rpc-server at %s (device %s) cannot be used: %s", address.c_str(), ggml_backend_dev_name(device),
             why.c_str());
    }
}

static std::vector<ggml_backend_dev_t> all_devices() {
    std::lock_guard<std::mutex>     lock(g_registry_mutex);
    std::vector<ggml_backend_dev_t> devices;
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        devices.push_back(ggml_backend_dev_get(i));
    }
    return devices;
}

// One line of lucifer_devices.
static std::string describe(ggml_backend_dev_t device) {
    const std::string        address = rpc_address(device);
    const auto               type    = ggml_backend_dev_type(device);
    const ggml_backend_reg_t backend = ggml_backend_dev_backend_reg(device);
    size_t                   free    = 0;
    size_t                   total   = 0;
    if (address.empty() || rpc_why_silent(address).empty()) {
        ggml_backend_dev_memory(device, &free, &total);
    }
    if (type == GGML_BACKEND_DEVICE_TYPE_CPU) {
        free = std::min(free, memory_available(free)); // ggml says that all memory is free
    }
    std::string       line    = format("%d\t%zu\t%zu", (int) type, free, total);
    const std::string texts[] = {ggml_backend_dev_name(device), ggml_backend_reg_name(backend), library_of(backend),
                                 ggml_backend_dev_description(device)};
    for (std::string text : texts) {
        std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < ' '; }, '?');
        line += "\t" + text;
    }
    return line;
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_devices(char * buf, int64_t cap, int64_t * len) {
    return guard("lucifer_devices", [&] {
        std::string lines;
        for (ggml_backend_dev_t device : all_devices()) {
            lines += describe(device) + "\n";
        }
        return put_text(lines, buf, cap, len);
    });
}

int32_t lucifer_backends_skipped(char * buf, int64_t cap, int64_t * len) {
    return guard("lucifer_backends_skipped", [&] {
        std::lock_guard<std::mutex> lock(g_registry_mutex);
        return put_text(g_skipped, buf, cap, len);
    });
}

int32_t lucifer_rpc_add_server(const char * endpoint, int32_t * n_devices) {
    return guard("lucifer_rpc_add_server", [&] {
        require(endpoint, "endpoint");
        require(n_devices, "n_devices");
        const rpc_endpoint peer = rpc_parse_endpoint(endpoint);
        std::lock_guard<std::mutex> lock(g_registry_mutex);
        const auto known = g_rpc_added.find(endpoint);
        if (known != g_rpc_added.end()) {
            *n_devices = known->second;
            return (int32_t) LUCIFER_STATUS_OK;
        }
        ggml_backend_reg_t reg = ggml_backend_reg_by_name("RPC");
        if (reg == nullptr) {
            fail(LUCIFER_STATUS_UNSUPPORTED, "this build has no RPC backend");
        }
        const std::string error = rpc_probe(peer, rpc_timeout_millis);
        if (!error.empty()) {
            fail(LUCIFER_STATUS_FAILED, "no rpc-server at %s: %s", endpoint, error.c_str());
        }
        using add_server_t    = ggml_backend_reg_t (*)(const char *);
        const auto add_server = (add_server_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_rpc_add_server");
        ggml_backend_reg_t server = add_server == nullptr ? nullptr : add_server(endpoint);
        const std::string fault = rpc_link(endpoint).fault();
        if (server == nullptr || !fault.empty()) {
            fail(LUCIFER_STATUS_FAILED, "the rpc-server at %s offers no device%s%s", endpoint, fault.empty() ? "" : ": ", fault.c_str());
        }
        ggml_backend_register(server);
        *n_devices = g_rpc_added[endpoint] = (int32_t) ggml_backend_reg_dev_count(server);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
