#include "host.h"

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
#endif

} // namespace lucifer
