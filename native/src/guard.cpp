#include "guard.h"

#include "log.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <system_error>

namespace lucifer {

static thread_local call_state  t_call;
static thread_local std::string t_last_error;

call_state & this_call() noexcept {
    return t_call;
}

const std::string & last_error() noexcept {
    return t_last_error;
}

static std::string vformat(const char * format, va_list args) {
    va_list copy;
    va_copy(copy, args);
    const int n = vsnprintf(nullptr, 0, format, copy);
    va_end(copy);
    std::string text(n > 0 ? (size_t) n : 0, '\0');
    vsnprintf(&text[0], text.size() + 1, format, args);
    return text;
}

std::string format(const char * format, ...) {
    va_list args;
    va_start(args, format);
    std::string text = vformat(format, args);
    va_end(args);
    return text;
}

void fail(int32_t status, const char * format, ...) {
    va_list args;
    va_start(args, format);
    std::string text = vformat(format, args);
    va_end(args);
    throw status_error(status, std::move(text));
}

std::string call_errors() {
    return std::string(t_call.errors, t_call.n_errors);
}

std::string call_last_error_line() {
    std::string lines = call_errors();
    while (!lines.empty() && lines.back() == '\n') {
        lines.pop_back();
    }
    return lines.substr(lines.find_last_of('\n') + 1); // npos + 1 is 0
}

namespace {

constexpr size_t max_message = 4000; // bytes: what a file or a user wrote is quoted in some

std::string cut_long(std::string message) {
    size_t end = max_message;
    if (message.size() <= end) {
        return message;
    }
    while (end > 0 && ((unsigned char) message[end] & 0xC0) == 0x80) {
        end--; // not within a character
    }
    return message.substr(0, end) + "... (" + std::to_string(message.size() - end) + " bytes more)";
}

} // namespace

int32_t set_last_error(int32_t status, const char * what, const char * message) noexcept {
    try {
        std::string text = std::string(what) + ": " + cut_long(message);
        if (t_call.depth > 0) {
            text += "\n" + call_errors();
            while (text.back() == '\n') {
                text.pop_back();
            }
        }
        t_last_error = std::move(text);
    } catch (...) {
        t_last_error.clear(); // no memory for a message: the status must do
    }
    return status;
}

namespace {
struct {
    char              path[64][512];
    std::atomic<int>  next{0};
} g_subjects;

std::atomic<const char *> g_last_what{nullptr};
std::atomic<const char *> g_last_subject{nullptr};
} // namespace

const char * remember_subject(const std::string & path) noexcept {
    const int i = g_subjects.next++ & 63;
    snprintf(g_subjects.path[i], sizeof(g_subjects.path[i]), "%s", path.c_str());
    return g_subjects.path[i];
}

void announce_call(const char * what, const char * subject) noexcept {
    g_last_what.store(what, std::memory_order_relaxed);
    g_last_subject.store(subject, std::memory_order_relaxed);
}

const char * announced_what() noexcept {
    return g_last_what.load(std::memory_order_relaxed);
}

const char * announced_subject() noexcept {
    return g_last_subject.load(std::memory_order_relaxed);
}

guard_scope::guard_scope(const char * what, const char * subject) noexcept
    : call_(t_call), outer_what_(call_.what), outer_subject_(call_.subject), outer_uncaught_(call_.uncaught) {
    if (call_.depth++ == 0) {
        call_.n_errors = 0;
    }
    call_.uncaught = std::uncaught_exceptions();
    call_.what     = what;
    if (subject != nullptr) {
        call_.subject = subject;
        announce_call(what, subject);
    }
}

guard_scope::~guard_scope() {
    call_.what     = outer_what_;
    call_.subject  = outer_subject_;
    call_.uncaught = outer_uncaught_;
    --call_.depth;
}

int32_t guard_scope::caught() noexcept {
    log_finish_line();
    try {
        throw;
    } catch (const abort_caught & e) {
        return set_last_error(LUCIFER_STATUS_ABORTED, call_.what, ("assertion failed: " + e.message).c_str());
    } catch (const status_error & e) {
        return set_last_error(e.status(), call_.what, e.what());
    } catch (const std::bad_alloc &) {
        return set_last_error(LUCIFER_STATUS_OUT_OF_MEMORY, call_.what, "not enough memory");
    } catch (const std::invalid_argument & e) {
        return set_last_error(LUCIFER_STATUS_INVALID_ARGUMENT, call_.what, e.what());
    } catch (const std::system_error & e) {
        const bool exhausted = e.code() == std::errc::resource_unavailable_try_again; // what a thread that cannot be started says
        return set_last_error(exhausted ? LUCIFER_STATUS_OUT_OF_MEMORY : LUCIFER_STATUS_EXCEPTION, call_.what, e.what());
    } catch (const std::exception & e) {
        return set_last_error(LUCIFER_STATUS_EXCEPTION, call_.what, e.what());
    } catch (...) {
        return set_last_error(LUCIFER_STATUS_EXCEPTION, call_.what, "an exception of unknown type");
    }
}

void require(const void * pointer, const char * name) {
    if (pointer == nullptr) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s is null", name);
    }
}

int32_t put_text(const char * text, size_t size, char * buf, int64_t cap, int64_t * len) {
    require(len, "len");
    if (cap < 0 || (cap > 0 && buf == nullptr)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "buf is null or its capacity %lld is negative", (long long) cap);
    }
    *len = (int64_t) size;
    if ((int64_t) size > cap) {
        return LUCIFER_STATUS_BUFFER_TOO_SMALL;
    }
    if (size > 0) {
        memcpy(buf, text, size);
    }
    return LUCIFER_STATUS_OK;
}

int32_t put_text(const std::string & text, char * buf, int64_t cap, int64_t * len) {
    return put_text(text.data(), text.size(), buf, cap, len);
}

} // namespace lucifer
