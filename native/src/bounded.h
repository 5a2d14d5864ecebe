#pragma once

// The one way in which what a model's file, a user or a peer says enters llama.cpp's engines that recurse and take memory by it:
// chat templates and grammars. Without bounds such a text could overflow the stack, take all memory or never end, and each is the
// end of the process.

#include "budget.h"

#include <functional>

namespace lucifer {

// Calls body on a parked thread with a stack of its own, and lets out what it throws. Fails with INVALID_ARGUMENT, saying that
// `subject` takes too much, when body recurses too deeply, holds too much memory or does not end; with CANCELLED soon after *cancel
// is set. What does not end even between two allocations - a search in long texts - is left behind: body has to own, or share,
// whatever it touches, and to hold no lock.
void run_bounded(const char * subject, const int32_t * cancel, std::function<void()> body);

// The same, awaited to its end, for work that allocates as long as it goes on. `held` also counts what one piece of it leaves for the
// next.
void run_awaited(const char * subject, const int32_t * cancel, budget & held, std::function<void()> body);

// Throws when this limit was reached: `subject` took too much.
void require_unspent(const char * subject, budget::limit spent);

// The limit of time for one piece of work, in nanoseconds.
int64_t limit_nanos() noexcept;

// Charges a budget on this thread, for as long as it lives.
class charged_scope {
public:
    explicit charged_scope(budget & held) noexcept : before_(budget_begin(&held)) {}
    ~charged_scope() { budget_begin(before_); }
    charged_scope(const charged_scope &)             = delete;
    charged_scope & operator=(const charged_scope &) = delete;

private:
    budget * before_;
};

// What small pieces of work may take, one after the other.
void renew(budget & held, const int32_t * cancel) noexcept;

// The same without another thread, for small pieces that do not recurse: costs next to nothing.
template <typename F> void run_charged(const char * subject, const int32_t * cancel, budget & held, F && body) {
    require_unspent(subject, held.spent);
    try {
        renew(held, cancel);
        charged_scope scope(held);
        body();
    } catch (...) {
        require_unspent(subject, held.spent);
        throw;
    }
}

} // namespace lucifer
