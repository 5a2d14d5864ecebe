#pragma once

#include "symbol-set.h"

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

namespace lucifer::engine {

constexpr uint32_t unlimited = std::numeric_limits<uint32_t>::max();

// A regular expression as a tree.
struct expression {
    enum class kind {
        set,      // one symbol of a set
        sequence, // all parts, one after the other
        choice,   // one part, the first that leads to a match
        repeat,   // the only part, least to most times, as often as it can be
        look,     // whether the only part can (or, if negative, cannot) be matched here
        end,      // the end of the text
    };

    kind                    what;
    symbol_set              set   = {};
    std::vector<expression> parts = {};
    uint32_t                least    = 1;
    uint32_t                most     = 1;
    bool                    negative = false;
};

// The expression uses what this subset of ECMAScript does not have.
struct unsupported_expression : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

// Reads the subset of ECMAScript that llama.cpp's expressions need, with its \p{..}: see categories.h. Recurses by nesting.
expression parse_expression(const std::vector<symbol> & text);

} // namespace lucifer::engine
