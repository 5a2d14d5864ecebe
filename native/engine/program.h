#pragma once

#include "expression.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lucifer::engine {

// A compiled expression. What follows an instruction stands behind it unless it says otherwise.
struct program {
    enum class op {
        run,    // as many symbols of a set as there are, in whole steps
        split,  // one way or, if that leads to no match, another
        jump,   // elsewhere
        look,   // behind it, up to its own `accept`: what can or cannot be matched here
        end,    // only at the end of the text
        accept, // matched
    };

    struct instruction {
        op       what;
        size_t   target   = 0; // split: the second way. jump: where. look: what follows it
        size_t   set      = 0; // run: of these. split: with these the first way can begin
        size_t   follow   = 0; // run: with these what follows can begin. split: with these the second way can begin
        uint32_t step     = 1; // run: symbols in a step
        uint32_t least    = 1; // run: steps
        uint32_t most     = 1;
        bool     settled  = false; // run: fewer steps never help. split: the second way always leads to a match
        bool     negative = false; // look
    };

    std::vector<instruction> code;
    std::vector<symbol_set>  sets;
    symbol_set               first; // a match can begin with these, or be empty
};

program compile(const expression & e);

} // namespace lucifer::engine
