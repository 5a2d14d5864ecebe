#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lucifer::engine {

using symbol = uint32_t; // a code point, or what stands for one in the text that an expression is matched with

// What an expression may ask of one symbol.
class symbol_set {
public:
    symbol_set() = default; // holds nothing
    symbol_set(symbol first, symbol last);

    static symbol_set all();
    static symbol_set of(const char * symbols);

    bool contains(symbol s) const { return s < low.size() ? low[s] : is_in_ranges(s); }
    bool empty() const { return ranges.empty(); }

    symbol_set operator~() const;
    symbol_set operator|(const symbol_set & other) const;
    symbol_set operator&(const symbol_set & other) const;

private:
    struct range {
        symbol first;
        symbol last;
    };

    void add(symbol first, symbol last);
    bool is_in_ranges(symbol s) const;

    std::vector<range> ranges; // in order, none touches the next
    std::bitset<256>   low;    // the same of the first 256: nearly all questions are about those
};

} // namespace lucifer::engine
