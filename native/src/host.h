#pragma once

// What differs between operating systems: shared libraries.

#include <string>

namespace lucifer {

// A shared library that is opened to be asked, and closed again.
class shared_library {
public:
    explicit shared_library(const std::string & path);
    ~shared_library();
    shared_library(const shared_library &)             = delete;
    shared_library & operator=(const shared_library &) = delete;

    const std::string & error() const { return error_; } // "" when it is open
    void *              symbol(const char * name) const;

private:
    void *      handle_ = nullptr;
    std::string error_;
};

// Path of the shared library that an address of code or static data lies in, "" when unknown.
std::string library_of(const void * address);

// Whether a file name is that of a ggml backend library.
bool is_backend_file(const std::string & name);

} // namespace lucifer
