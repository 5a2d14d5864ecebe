#pragma once

// The little that the C++ tests need. They see the library as Java does: through its header.

#include "lucifer_llama.h"

#include <cstdio>
#include <cstdlib>
#include <string>

inline std::string last_error() {
    char    text[8192];
    int64_t len = 0;
    return lucifer_last_error(text, sizeof(text), &len) == LUCIFER_STATUS_OK ? std::string(text, (size_t) len) : "(long)";
}

#define CHECK(condition)                                                                                         \
    do {                                                                                                         \
        if (!(condition)) {                                                                                      \
            fprintf(stderr, "%s:%d: %s\n  last error: %s\n", __FILE__, __LINE__, #condition, last_error().c_str()); \
            exit(1);                                                                                             \
        }                                                                                                        \
    } while (0)

#define CHECK_OK(call) CHECK((call) == LUCIFER_STATUS_OK)

// The call fails with this status, and its message holds this text.
#define CHECK_FAILS(expected, text, call)                                                                               \
    do {                                                                                                                \
        const int32_t got_ = (call);                                                                                    \
        if (got_ != (expected) || last_error().find(text) == std::string::npos) {                                       \
            fprintf(stderr, "%s:%d: %s\n  status %d, expected %d with '%s'\n  last error: %s\n", __FILE__, __LINE__, #call, got_, \
                    (int) (expected), text, last_error().c_str());                                                      \
            exit(1);                                                                                                    \
        }                                                                                                               \
    } while (0)

template <typename T> T sized() {
    T value           = {};
    value.struct_size = sizeof(T);
    return value;
}
