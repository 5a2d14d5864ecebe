#include "symbol-set.h"

#include <algorithm>
#include <limits>

namespace lucifer::engine {

namespace {

constexpr symbol greatest = std::numeric_limits<symbol>::max();

} // namespace

symbol_set::symbol_set(symbol first, symbol last) {
    add(first, last);
}

symbol_set symbol_set::all() {
    return {0, greatest};
}

symbol_set symbol_set::of(const char * symbols) {
    symbol_set set;
    for (; *symbols != '\0'; symbols++) {
        const auto s = (unsigned char) *symbols;
        set          = set | symbol_set(s, s);
    }
    return set;
}

symbol_set symbol_set::operator~() const {
    symbol_set rest;
    symbol     next = 0; // the first that is not decided yet
    for (const range & r : ranges) {
        if (r.first > next) {
            rest.add(next, r.first - 1);
        }
        if (r.last == greatest) {
            return rest;
        }
        next = r.last + 1;
    }
    rest.add(next, greatest);
    return rest;
}

symbol_set symbol_set::operator&(const symbol_set & other) const {
    symbol_set both;
    for (size_t i = 0, j = 0; i < ranges.size() && j < other.ranges.size();) {
        const range & a     = ranges[i];
        const range & b     = other.ranges[j];
        const symbol  first = std::max(a.first, b.first);
        const symbol  last  = std::min(a.last, b.last);
        if (first <= last) {
            both.add(first, last);
        }
        (a.last < b.last ? i : j)++;
    }
    return both;
}

symbol_set symbol_set::operator|(const symbol_set & other) const {
    return ~(~*this & ~other);
}

void symbol_set::add(symbol first, symbol last) {
    ranges.push_back({first, last});
    for (symbol s = first; s <= last && s < low.size(); s++) {
        low.set(s);
    }
}

bool symbol_set::is_in_ranges(symbol s) const {
    const auto after = std::upper_bound(ranges.begin(), ranges.end(), s, [](symbol value, const range & r) { return value < r.first; });
    return after != ranges.begin() && s <= std::prev(after)->last;
}

} // namespace lucifer::engine
