// operator new and delete of libllama and of our library, which the linker puts in place of the C++ library's (cmake/Budget.cmake).
// Part of libllama, because both reach it there; where the linker cannot do that, part of our library alone.

#include "budget.h"

#include <cstdlib>
#include <ctime>
#include <new>

#if defined(__APPLE__)
#    include <malloc/malloc.h>
#else
#    include <malloc.h>
#endif

namespace lucifer {

namespace {

constexpr int32_t work_per_look   = 1000; // allocations, or 4 KiB of them, between two looks at the clock
constexpr size_t  json_value_size = 16;

thread_local budget * t_budget = nullptr;

int64_t size_of(void * memory) {
#if defined(__APPLE__)
    return (int64_t) malloc_size(memory);
#elif defined(_WIN32)
    return (int64_t) _msize(memory);
#else
    return (int64_t) malloc_usable_size(memory);
#endif
}

} // namespace

int64_t budget_clock() noexcept {
    timespec now;
#if defined(_WIN32)
    timespec_get(&now, TIME_UTC);
#else
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
#endif
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

budget * budget_begin(budget * budget) noexcept {
    auto * before = t_budget;
    t_budget      = budget;
    return before;
}

bool budget::is_deep() const noexcept {
    char here;
    return stack_top != nullptr && stack_top - &here > max_depth;
}

void budget::look() noexcept {
    work = 0;
    if (spent != none) {
        return;
    }
    if (is_deep()) {
        spent = stack;
    } else if (cancelled != nullptr && *(const volatile int32_t *) cancelled != 0) {
        spent = cancel;
    } else if (budget_clock() > deadline) {
        spent = time;
    }
}

void budget::charge(size_t size) {
    if (spent == none) {
        work += 1 + (int32_t) (size >> 12 < (size_t) work_per_look ? size >> 12 : (size_t) work_per_look);
        if (work > work_per_look) {
            look();
        }
        spent = spent != none ? spent : is_deep() ? stack : (int64_t) size < 0 || (int64_t) size > max_bytes - live ? memory : none;
    }
    if (spent == none) {
        return;
    }
    // The destructors of JSON, which must not throw, take memory for arrays of values of 16 bytes, less than those that they end. What
    // may be such an array is let through: engines take memory of other sizes at every step, as for a node or a value.
    const bool tolerable = live <= max_bytes || live - max_bytes <= max_bytes - (int64_t) size;
    if (size % json_value_size == 0 && (int64_t) size >= 0 && (int64_t) size <= max_bytes && tolerable) {
        return;
    }
    throw std::bad_alloc();
}

} // namespace lucifer

using namespace lucifer;

namespace {

template <typename F> void * allocate(size_t size, F && real) {
    budget * payer = t_budget;
    if (payer == nullptr) {
        return real();
    }
    payer->charge(size);
    void * memory = real();
    payer->live += memory != nullptr ? size_of(memory) : 0;
    return memory;
}

void give_back(void * memory) {
    if (t_budget != nullptr && memory != nullptr) {
        t_budget->live -= size_of(memory);
    }
}

} // namespace

#if defined(LUCIFER_WRAPPED_OPERATORS)

// Names that the linker's --wrap gives to the operators as the C++ ABI names them: calls of X go to __wrap_X, and __real_X is the
// C++ library's.
#    define WRAPPED(result, name, ...)                    \
        extern "C" result __real_##name(__VA_ARGS__);     \
        extern "C" LUCIFER_ENGINE_API result __wrap_##name(__VA_ARGS__); \
        result __wrap_##name(__VA_ARGS__)

WRAPPED(void *, _Znwm, size_t size) { return allocate(size, [=] { return __real__Znwm(size); }); }
WRAPPED(void *, _Znam, size_t size) { return allocate(size, [=] { return __real__Znam(size); }); }
WRAPPED(void *, _ZnwmRKSt9nothrow_t, size_t size, const std::nothrow_t & tag) {
    try {
        return allocate(size, [&] { return __real__ZnwmRKSt9nothrow_t(size, tag); });
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}
WRAPPED(void, _ZdlPv, void * memory) {
    give_back(memory);
    __real__ZdlPv(memory);
}
WRAPPED(void, _ZdlPvm, void * memory, size_t size) {
    give_back(memory);
    __real__ZdlPvm(memory, size);
}
WRAPPED(void, _ZdaPv, void * memory) {
    give_back(memory);
    __real__ZdaPv(memory);
}

#else

void * operator new(size_t size) {
    return allocate(size, [=] {
        void * memory = std::malloc(size != 0 ? size : 1);
        return memory != nullptr ? memory : throw std::bad_alloc();
    });
}

void operator delete(void * memory) noexcept {
    give_back(memory);
    std::free(memory);
}

void operator delete(void * memory, size_t) noexcept { operator delete(memory); }

#endif
