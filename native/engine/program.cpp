#include "program.h"

#include <utility>

namespace lucifer::engine {

namespace {

using kind        = expression::kind;
using op          = program::op;
using instruction = program::instruction;

class compiler {
public:
    program compile(const expression & e) {
        emit(e);
        add(op::accept);
        for (size_t at = 0; at < result.code.size(); at++) {
            foresee(at);
        }
        result.first = beginnings(0);
        return std::move(result);
    }

private:
    size_t add(op what) {
        instruction i;
        i.what = what;
        result.code.push_back(i);
        return result.code.size() - 1;
    }

    size_t keep(symbol_set set) {
        result.sets.push_back(std::move(set));
        return result.sets.size() - 1;
    }

    void emit(const expression & e) {
        switch (e.what) {
            case kind::set: emit_run(e.set, 1, 1, 1); break;
            case kind::sequence:
                for (const expression & part : e.parts) {
                    emit(part);
                }
                break;
            case kind::choice: emit_choice(e.parts); break;
            case kind::repeat: emit_repeat(e); break;
            case kind::look: emit_look(e); break;
            case kind::end: add(op::end); break;
        }
    }

    void emit_run(const symbol_set & set, uint32_t step, uint32_t least, uint32_t most) {
        instruction & i = result.code[add(op::run)];
        i.set           = keep(set);
        i.step          = step;
        i.least         = least;
        i.most          = most;
    }

    void emit_choice(const std::vector<expression> & parts) {
        std::vector<size_t> jumps;
        for (size_t i = 0; i + 1 < parts.size(); i++) {
            const size_t split = add(op::split);
            emit(parts[i]);
            jumps.push_back(add(op::jump));
            result.code[split].target = result.code.size();
        }
        emit(parts.back());
        for (const size_t jump : jumps) {
            result.code[jump].target = result.code.size();
        }
    }

    void emit_repeat(const expression & e) {
        const expression & part = e.parts[0];
        if (part.what == kind::set) {
            emit_run(part.set, 1, e.least, e.most);
            return;
        }
        if (part.what == kind::repeat && part.parts[0].what == kind::set && part.least == part.most) {
            emit_run(part.parts[0].set, part.least, e.least, e.most);
            return;
        }
        for (uint32_t i = 0; i < e.least; i++) {
            emit(part);
        }
        if (e.most == unlimited) {
            emit_loop(part);
        } else {
            emit_optional(part, e.most - e.least);
        }
    }

    void emit_loop(const expression & part) {
        const size_t split = add(op::split);
        emit(part);
        result.code[add(op::jump)].target = split;
        result.code[split].target         = result.code.size();
    }

    void emit_optional(const expression & part, uint32_t times) {
        std::vector<size_t> splits;
        for (uint32_t i = 0; i < times; i++) {
            splits.push_back(add(op::split));
            emit(part);
        }
        for (const size_t split : splits) {
            result.code[split].target = result.code.size();
        }
    }

    void emit_look(const expression & e) {
        const size_t look = add(op::look);
        emit(e.parts[0]);
        add(op::accept);
        result.code[look].negative = e.negative;
        result.code[look].target   = result.code.size();
    }

    // What the symbol at hand already decides.
    void foresee(size_t at) {
        const op what = result.code[at].what;
        if (what == op::run) {
            const symbol_set follow = beginnings(at + 1);
            result.code[at].settled = (result.sets[result.code[at].set] & follow).empty();
            result.code[at].follow  = keep(follow);
        } else if (what == op::split) {
            const size_t second     = result.code[at].target;
            result.code[at].set     = keep(beginnings(at + 1));
            result.code[at].follow  = keep(beginnings(second));
            result.code[at].settled = always_matches(second);
        }
    }

    // Where there is a symbol: those with which a match from here on can begin, all where it can be empty.
    symbol_set beginnings(size_t at) const {
        const instruction & i = result.code[at];
        switch (i.what) {
            case op::run: return i.least > 0 ? result.sets[i.set] : result.sets[i.set] | beginnings(at + 1);
            case op::split: return beginnings(at + 1) | beginnings(i.target);
            case op::jump: return i.target < at ? beginnings_of_loop(i.target) : beginnings(i.target);
            case op::look: return beginnings(i.target) & beginnings_of_look(at);
            case op::end: return {};
            case op::accept: break;
        }
        return symbol_set::all();
    }

    // From the end of a loop's part: a part is never empty, so that the loop is not met a second time.
    symbol_set beginnings_of_loop(size_t split) const { return beginnings(split + 1) | beginnings(result.code[split].target); }

    symbol_set beginnings_of_look(size_t look) const {
        if (!result.code[look].negative) {
            return beginnings(look + 1);
        }
        const instruction & part   = result.code[look + 1];
        const bool          is_set = part.what == op::run && part.step == 1 && part.least == 1 && result.code[look + 2].what == op::accept;
        return is_set ? ~result.sets[part.set] : symbol_set::all();
    }

    bool always_matches(size_t at) const {
        const instruction & i = result.code[at];
        switch (i.what) {
            case op::run: return i.least == 0 && always_matches(at + 1);
            case op::split: return always_matches(i.target);
            case op::jump: return always_matches(i.target);
            case op::accept: return true;
            default: return false;
        }
    }

    program result;
};

} // namespace

program compile(const expression & e) {
    return compiler().compile(e);
}

} // namespace lucifer::engine
