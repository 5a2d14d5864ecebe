#pragma once

#include "program.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lucifer::engine {

// Matches a program with parts of one text, front to back, as std::regex does: the leftmost match, of those the one that the expression
// prefers. What is left to try is kept on the heap: no text overflows the stack. And what a run has seen is kept: a text of one long run
// takes time linear in its length, although each of its symbols is a place where a match may begin.
class matcher {
public:
    static constexpr size_t none = (size_t) -1;

    matcher(const program & expression, const std::vector<symbol> & text);

    // Where the match that begins at `begin` ends, in a text that ends at `end`; or none.
    size_t match(size_t begin, size_t end, bool may_be_empty);

private:
    // A way not taken: the instruction that left it, and the places from which it goes on, from `last` down to `first` in steps.
    struct choice {
        size_t at;
        size_t first;
        size_t last;
    };

    struct stretch {
        size_t begin = 0;
        size_t end   = 0;
    };

    size_t execute(size_t at, size_t begin, size_t end, bool may_be_empty);
    bool   advance(const program::instruction & i, size_t at, size_t & position, size_t end);
    bool   resume(size_t base, size_t & at, size_t & position);
    size_t end_of_run(const program::instruction & i, size_t position, size_t end);
    size_t last_that_can_go_on(const choice & c);

    const program &             expression;
    const std::vector<symbol> & text;
    std::vector<choice>         choices;
    std::vector<stretch>        runs;   // by instruction: the run seen last
    std::vector<stretch>        barren; // by instruction: places in a run from which what follows cannot go on
};

} // namespace lucifer::engine
