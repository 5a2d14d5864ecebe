#pragma once

// The border between C callers and llama.cpp: whatever is thrown or aborted inside guard() leaves as a status code and a message.

#include "lucifer_llama.h"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>

#if defined(__GNUC__)
#    define LUCIFER_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#    define LUCIFER_PRINTF(a, b)
#endif

namespace lucifer {

// Ends a guarded call with this status and message.
class status_error : public std::exception {
public:
    status_error(int32_t status, std::string message) : status_(status), message_(std::move(message)) {}
    int32_t      status() const noexcept { return status_; }
    const char * what() const noexcept override { return message_.c_str(); }

private:
    int32_t     status_;
    std::string message_;
};

// A failed assertion of ggml or llama.cpp. Not a std::exception on purpose: upstream's own catch clauses would turn it into
// a null result, and the object would not be poisoned.
struct abort_caught {
    std::string message;
};

[[noreturn]] void fail(int32_t status, const char * format, ...) LUCIFER_PRINTF(2, 3);

std::string format(const char * format, ...) LUCIFER_PRINTF(1, 2);

// What the calling thread does inside guard(). Trivial, because the log and abort hooks read it at the worst of times.
struct call_state {
    static constexpr size_t max_errors = 4096;

    int          depth;
    int          uncaught;  // std::uncaught_exceptions() when the guard was entered
    const char * what;      // the exported function
    const char * subject;   // the file that it works on, or null
    size_t       n_errors;  // bytes in errors
    char         errors[max_errors]; // llama.cpp's error lines during this call
    bool (*on_log)(void * data, int32_t level, const char * piece); // sees this thread's log first; may throw; true: drop the piece
    void *       on_log_data;
};

call_state & this_call() noexcept;

// llama.cpp's error lines during this call, one a line; the last one alone.
std::string call_errors();
std::string call_last_error_line();

// Makes a message the calling thread's last error, with the error lines of this call behind it.
int32_t set_last_error(int32_t status, const char * what, const char * message) noexcept;

const std::string & last_error() noexcept;

// Copies a path into storage that stays readable for last words. The oldest of 64 is overwritten.
const char * remember_subject(const std::string & path) noexcept;

// The call that was entered last on any thread: all that a worker thread can say about whom it works for.
void announce_call(const char * what, const char * subject) noexcept;
const char * announced_what() noexcept;
const char * announced_subject() noexcept;

class guard_scope {
public:
    guard_scope(const char * what, const char * subject) noexcept;
    ~guard_scope();
    guard_scope(const guard_scope &)             = delete;
    guard_scope & operator=(const guard_scope &) = delete;

    int32_t caught() noexcept; // status of the exception in flight

private:
    call_state & call_;
    const char * outer_what_;
    const char * outer_subject_;
    int          outer_uncaught_;
};

// Runs body, which returns a status, and lets nothing out but a status.
template <typename F> int32_t guard(const char * what, const char * subject, F && body) noexcept {
    guard_scope scope(what, subject);
    try {
        return body();
    } catch (...) {
        return scope.caught();
    }
}

template <typename F> int32_t guard(const char * what, F && body) noexcept {
    return guard(what, nullptr, static_cast<F &&>(body));
}

// The status of a call on an object, when what the object lives on may have failed meanwhile. Objects on devices have one of their own.
template <typename T> int32_t judged(const char * /*what*/, const T & /*object*/, int32_t status) noexcept {
    return status;
}

// The same for a call on an object: refuses null and poisoned ones, and poisons the object when an assertion fails.
template <typename T, typename F> int32_t guard_object(const char * what, T * object, F && body) noexcept {
    if (object == nullptr) {
        return set_last_error(LUCIFER_STATUS_INVALID_ARGUMENT, what, "the object is null");
    }
    if (object->poisoned) {
        return set_last_error(LUCIFER_STATUS_POISONED, what, "an assertion failed in this object before; it can only be freed");
    }
    const int32_t status = guard(what, object->subject, static_cast<F &&>(body));
    if (status == LUCIFER_STATUS_ABORTED) {
        object->poison();
    }
    return judged(what, *object, status);
}

// Checks that every call makes.
void require(const void * pointer, const char * name);
template <typename T> void require_size(const T * params) {
    require(params, "params");
    if (params->struct_size != (int64_t) sizeof(T)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "struct_size is %lld, expected %lld: the caller was compiled with another header",
             (long long) params->struct_size, (long long) sizeof(T));
    }
}

// The same for a call that makes something for the model that params names.
template <typename P, typename F> int32_t guard_init(const char * what, const P * params, F && body) noexcept {
    const int32_t status = guard(what, [&] {
        require_size(params);
        return (int32_t) LUCIFER_STATUS_OK;
    });
    return status == LUCIFER_STATUS_OK ? guard_object(what, params->model, static_cast<F &&>(body)) : status;
}

// Gives text to the caller as the header's (buf, cap, len).
int32_t put_text(const char * text, size_t size, char * buf, int64_t cap, int64_t * len);
int32_t put_text(const std::string & text, char * buf, int64_t cap, int64_t * len);

} // namespace lucifer
