// The engine of chat templates can be stopped nowhere but where it allocates, which it does for every value, scope and iteration:
// this library's operator new counts on the thread of a bounded call, and throws std::bad_alloc, which all code must expect.

#include "bounded.h"

#include "guard.h"

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <new>

#include <pthread.h>

namespace lucifer {

namespace {

// Of llama.cpp's templates, the most costly makes 44 million objects for a chat of 400 messages, and none holds more than 12,000 or
// goes deeper than 42 KB of stack. Objects that hold each other are destroyed by recursion: as many as a template can make within
// max_made, at some 60 for each, end in half of the stack, which is only address space until it is used.
constexpr size_t  stack_size  = (size_t) 1 << 30;
constexpr size_t  max_depth   = (size_t) 64 << 20;  // of the stack, by the template's own recursion
constexpr int64_t max_objects = 1000000;            // at a time; too low where the C++ library allocates what this library frees
constexpr int64_t max_made    = 100000000;          // in all: some ten seconds
constexpr size_t  max_size    = (size_t) 256 << 20; // of one

struct budget {
    const char * stack_top; // grows down from here
    int64_t      objects   = 0;
    int64_t      made      = 0;
    bool         exhausted = false; // from then on nothing is allocated: whoever catches the exception cannot go on

    void charge(size_t size) {
        char here;
        made++;
        objects++;
        exhausted = exhausted || size > max_size || objects > max_objects || made > max_made ||
                    (size_t) (stack_top - &here) > max_depth;
        if (exhausted) {
            objects--;
            throw std::bad_alloc();
        }
    }
};

thread_local budget * t_budget = nullptr;

struct bounded_call {
    const char *                   what;
    const char *                   subject;
    const std::function<void()> *  body;
    bool                           exhausted = false;
    std::exception_ptr             thrown;
};

void * run(void * data) {
    auto & call = *static_cast<bounded_call *>(data);
    char   top;
    budget limits{&top};
    {
        guard_scope scope(call.what, call.subject); // as on the caller's thread: assertions that fail here throw as well
        t_budget = &limits;
        try {
            (*call.body)();
        } catch (...) {
            t_budget    = nullptr;
            call.thrown = std::current_exception();
        }
        t_budget = nullptr;
    }
    call.exhausted = limits.exhausted;
    return nullptr;
}

} // namespace

void run_bounded(const char * subject, const std::function<void()> & body) {
    bounded_call call{this_call().what, this_call().subject, &body, false, nullptr};

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_size);
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes, run, &call);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        fail(LUCIFER_STATUS_OUT_OF_MEMORY, "cannot start a thread with %zu MiB of stack for %s", stack_size >> 20, subject);
    }
    pthread_join(thread, nullptr);

    if (call.exhausted) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s calls itself or repeats without end, or makes more than %lld objects at a time", subject,
             (long long) max_objects);
    }
    if (call.thrown) {
        std::rethrow_exception(call.thrown);
    }
}

} // namespace lucifer

// The sanitizers bring their own.
#if !defined(__SANITIZE_ADDRESS__)

void * operator new(size_t size) {
    if (lucifer::t_budget != nullptr) {
        lucifer::t_budget->charge(size);
    }
    if (void * memory = std::malloc(size != 0 ? size : 1)) {
        return memory;
    }
    throw std::bad_alloc();
}

void operator delete(void * memory) noexcept {
    if (lucifer::t_budget != nullptr && memory != nullptr) {
        lucifer::t_budget->objects--;
    }
    std::free(memory);
}

void operator delete(void * memory, size_t) noexcept { operator delete(memory); }

#endif
