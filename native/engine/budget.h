#pragma once

// What one piece of work on untrusted input may take. llama.cpp's engines - of chat templates, of grammars - can be stopped nowhere
// but where they allocate, which they do for every value, rule and state: there this thread's budget is charged, and throws
// std::bad_alloc, which all code must expect, once it is spent.

#include <cstddef>
#include <cstdint>

#if defined(_WIN32)
#    define LUCIFER_ENGINE_API
#else
#    define LUCIFER_ENGINE_API __attribute__((visibility("default")))
#endif

namespace lucifer {

struct budget {
    enum limit : int32_t { none, memory, stack, time, cancel };

    int64_t         max_bytes = INT64_MAX; // live at a time
    int64_t         deadline  = INT64_MAX; // by the budget_clock() of the thread that works
    const int32_t * cancelled = nullptr;   // set to non-zero by another thread
    const char *    stack_top = nullptr;   // grows down from here; null: the work is known not to recurse
    ptrdiff_t       max_depth = 0;

    int64_t live  = 0;
    int32_t work  = 0;
    limit   spent = none; // from then on whoever catches the exception cannot go on

    // For an allocation of `size` bytes, before it is made.
    void charge(size_t size);

    // Between allocations: at the depth of the stack, the clock and the cancel flag. What is spent stays so.
    LUCIFER_ENGINE_API void look() noexcept;

private:
    bool is_deep() const noexcept;
};

// Nanoseconds of processor time of this thread: what is allowed does not depend on what else the machine does. Where that is not to be
// had, of a clock that only goes forward.
LUCIFER_ENGINE_API int64_t budget_clock() noexcept;

// Charges this thread's allocations to `budget` from now on, null: to nobody. Returns the budget before.
LUCIFER_ENGINE_API budget * budget_begin(budget * budget) noexcept;

} // namespace lucifer
