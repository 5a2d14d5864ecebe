#include "host.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>

#if defined(_WIN32)
#    define WIN32_LEAN_AND_MEAN
#    define NOMINMAX
#    include <windows.h>
#else
#    include <dlfcn.h>
#endif

namespace lucifer {

static bool ends_with(const std::string & text, const std::string & end) {
    return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

#if defined(_WIN32)
shared_library::shared_library(const std::string & path) {
    handle_ = (void *) LoadLibraryA(path.c_str());
    if (handle_ == nullptr) {
        error_ = "LoadLibrary failed with error " + std::to_string(GetLastError());
    }
}

shared_library::~shared_library() {
    if (handle_ != nullptr) {
        FreeLibrary((HMODULE) handle_);
    }
}

void * shared_library::symbol(const char * name) const {
    return (void *) GetProcAddress((HMODULE) handle_, name);
}

std::string library_of(const void * address) {
    HMODULE module = nullptr;
    char    path[1024];
    if (!GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, (LPCSTR) address,
                            &module) ||
        GetModuleFileNameA(module, path, sizeof(path)) == 0) {
        return "";
    }
    return path;
}

bool is_backend_file(const std::string & name) {
    return name.rfind("ggml-", 0) == 0 && ends_with(name, ".dll") && name != "ggml-base.dll";
}

size_t memory_available(size_t otherwise) {
    return otherwise; // ggml asks the system here
}
#else
shared_library::shared_library(const std::string & path) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) {
        const char * error = dlerror();
        error_             = error != nullptr ? error : "dlopen failed";
    }
}

shared_library::~shared_library() {
    if (handle_ != nullptr) {
        dlclose(handle_);
    }
}

void * shared_library::symbol(const char * name) const {
    return dlsym(handle_, name);
}

std::string library_of(const void * address) {
    Dl_info info;
    return dladdr(address, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

bool is_backend_file(const std::string & name) {
    const bool library = ends_with(name, ".so") || ends_with(name, ".dylib");
    return library && name.rfind("libggml-", 0) == 0 && name.rfind("libggml-base", 0) != 0;
}

static int64_t first_number(const char * path) {
    std::ifstream file(path);
    int64_t       value = -1;
    file >> value;
    return file ? value : -1;
}

size_t memory_available(size_t otherwise) {
    std::ifstream meminfo("/proc/meminfo");
    std::string   line;
    int64_t       available = -1;
    while (std::getline(meminfo, line)) {
        if (line.rfind("MemAvailable:", 0) == 0) {
            std::istringstream(line.substr(13)) >> available;
            available *= 1024;
        }
    }
    if (available < 0) {
        return otherwise;
    }
    const int64_t limit = first_number("/sys/fs/cgroup/memory.max"); // cgroup 2; "max" is no number
    const int64_t used  = first_number("/sys/fs/cgroup/memory.current");
    if (limit > 0 && used >= 0) {
        available = std::min(available, std::max<int64_t>(0, limit - used));
    }
    return (size_t) available;
}
#endif

} // namespace lucifer
