#include "matcher.h"

#include <algorithm>

namespace lucifer::engine {

using op          = program::op;
using instruction = program::instruction;

matcher::matcher(const program & expression, const std::vector<symbol> & text)
    : expression(expression), text(text), runs(expression.code.size()), barren(expression.code.size()) {}

size_t matcher::match(size_t begin, size_t end, bool may_be_empty) {
    return execute(0, begin, end, may_be_empty);
}

// Recurses by the nesting of looks in the expression, not by the text.
size_t matcher::execute(size_t at, size_t begin, size_t end, bool may_be_empty) {
    const size_t base     = choices.size();
    size_t       position = begin;
    while (true) {
        const instruction & i       = expression.code[at];
        bool                goes_on = true;
        switch (i.what) {
            case op::run:
                goes_on = advance(i, at, position, end);
                at++;
                break;
            case op::split: {
                const bool at_end = position == end;
                const bool first  = at_end || expression.sets[i.set].contains(text[position]);
                const bool second = at_end || expression.sets[i.follow].contains(text[position]);
                if (first && second) {
                    if (i.settled && position > begin) {
                        choices.resize(base); // none that was left before will be needed
                    }
                    choices.push_back({at, position, position});
                }
                goes_on = first || second;
                at      = first ? at + 1 : i.target;
                break;
            }
            case op::jump: at = i.target; break;
            case op::look:
                goes_on = (execute(at + 1, position, end, true) != none) != i.negative;
                at      = i.target;
                break;
            case op::end:
                goes_on = position == end;
                at++;
                break;
            case op::accept:
                if (may_be_empty || position > begin) {
                    choices.resize(base);
                    return position;
                }
                goes_on = false;
                break;
        }
        if (!goes_on && !resume(base, at, position)) {
            return none;
        }
    }
}

bool matcher::advance(const instruction & i, size_t at, size_t & position, size_t end) {
    const size_t steps = (end_of_run(i, position, end) - position) / i.step;
    if (steps < i.least) {
        return false;
    }
    const size_t first = position + (size_t) i.least * i.step;
    position += steps * i.step;
    if (position > first && !i.settled) {
        choices.push_back({at, first, position - i.step});
    }
    return true;
}

bool matcher::resume(size_t base, size_t & at, size_t & position) {
    while (choices.size() > base) {
        choice & c = choices.back();
        if (expression.code[c.at].what == op::split) {
            at       = expression.code[c.at].target;
            position = c.last;
            choices.pop_back();
            return true;
        }
        at       = c.at + 1;
        position = last_that_can_go_on(c);
        if (position == none || position - c.first < expression.code[c.at].step) {
            choices.pop_back();
        } else {
            c.last = position - expression.code[c.at].step;
        }
        if (position != none) {
            return true;
        }
    }
    return false;
}

size_t matcher::end_of_run(const instruction & i, size_t position, size_t end) {
    const symbol_set & set = expression.sets[i.set];
    if (i.most != unlimited) {
        const size_t bound = std::min(end, position + (size_t) i.most * i.step);
        while (position < bound && set.contains(text[position])) {
            position++;
        }
        return position;
    }
    stretch & run = runs[&i - expression.code.data()];
    if (position < run.begin || position >= run.end) {
        run.begin = position;
        while (position < end && set.contains(text[position])) {
            position++;
        }
        run.end = position;
    }
    return run.end;
}

size_t matcher::last_that_can_go_on(const choice & c) {
    const instruction & i      = expression.code[c.at];
    const symbol_set &  follow = expression.sets[i.follow];
    if (i.step > 1) {
        return c.last;
    }
    stretch & known = barren[c.at];
    size_t    after = c.last + 1; // none from here up to c.last
    while (after > c.first && !follow.contains(text[after - 1])) {
        after--;
        if (after > known.begin && after <= known.end) {
            after = std::max(c.first, known.begin);
        }
    }
    known = {after, c.last + 1};
    return after > c.first ? after - 1 : none;
}

} // namespace lucifer::engine
