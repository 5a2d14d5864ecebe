#include "expression.h"

#include "categories.h"

#include <string>
#include <utility>

namespace lucifer::engine {

namespace {

using kind = expression::kind;

expression of_set(symbol_set set) {
    expression e{kind::set};
    e.set = std::move(set);
    return e;
}

expression of_parts(kind what, std::vector<expression> parts) {
    expression e{what};
    e.parts = std::move(parts);
    return e;
}

bool is_look_at_one(const expression & e) {
    return e.what == kind::look && !e.negative && e.parts[0].what == kind::set;
}

// A look at one symbol that is then matched asks for a symbol of both sets.
expression of_sequence(std::vector<expression> parts) {
    std::vector<expression> joined;
    for (expression & part : parts) {
        if (part.what == kind::set && !joined.empty() && is_look_at_one(joined.back())) {
            joined.back() = of_set(joined.back().parts[0].set & part.set);
        } else {
            joined.push_back(std::move(part));
        }
    }
    return joined.size() == 1 ? std::move(joined[0]) : of_parts(kind::sequence, std::move(joined));
}

// A choice between single symbols is one set.
expression of_choice(std::vector<expression> parts) {
    symbol_set all;
    for (const expression & part : parts) {
        if (part.what != kind::set) {
            return parts.size() == 1 ? std::move(parts[0]) : of_parts(kind::choice, std::move(parts));
        }
        all = all | part.set;
    }
    return of_set(std::move(all));
}

bool may_be_empty(const expression & e) {
    switch (e.what) {
        case kind::set: return false;
        case kind::repeat: return e.least == 0 || may_be_empty(e.parts[0]);
        case kind::choice:
            for (const expression & part : e.parts) {
                if (may_be_empty(part)) {
                    return true;
                }
            }
            return false;
        case kind::sequence:
            for (const expression & part : e.parts) {
                if (!may_be_empty(part)) {
                    return false;
                }
            }
            return true;
        default: return true;
    }
}

class parser {
public:
    explicit parser(const std::vector<symbol> & text) : text(text) {}

    expression read() {
        expression e = read_choice();
        if (!at_end()) {
            refuse("a bracket that is not open is closed");
        }
        return e;
    }

private:
    [[noreturn]] static void refuse(const std::string & what) { throw unsupported_expression(what); }

    bool   at_end() const { return at == text.size(); }
    bool   at_symbol(char c, size_t ahead = 0) const { return at + ahead < text.size() && text[at + ahead] == (symbol) c; }
    symbol next() {
        if (at_end()) {
            refuse("the expression ends too early");
        }
        return text[at++];
    }
    bool skip(const char * symbols) {
        size_t n = 0;
        for (; symbols[n] != '\0'; n++) {
            if (!at_symbol(symbols[n], n)) {
                return false;
            }
        }
        at += n;
        return true;
    }

    expression read_choice() {
        std::vector<expression> parts;
        do {
            parts.push_back(read_sequence());
        } while (skip("|"));
        return of_choice(std::move(parts));
    }

    expression read_sequence() {
        std::vector<expression> parts;
        while (!at_end() && !at_symbol('|') && !at_symbol(')')) {
            parts.push_back(read_quantifier(read_term()));
        }
        return of_sequence(std::move(parts));
    }

    expression read_term() {
        if (skip("(")) {
            return read_group();
        }
        if (skip("[")) {
            return of_set(read_class());
        }
        if (skip("\\")) {
            return of_set(read_escape());
        }
        if (skip("$")) {
            return {kind::end};
        }
        const symbol literal = next();
        if (symbol_set::of("^.*+?{}]").contains(literal)) {
            refuse("a symbol with a meaning that is not supported here");
        }
        return of_set({literal, literal});
    }

    expression read_group() {
        const bool positive = skip("?=");
        const bool negative = !positive && skip("?!");
        if (!positive && !negative) {
            skip("?:"); // nothing is captured in any case
        }
        expression e = read_choice();
        if (!skip(")")) {
            refuse("a group is not closed");
        }
        if (positive || negative) {
            e          = of_parts(kind::look, {std::move(e)});
            e.negative = negative;
        }
        return e;
    }

    expression read_quantifier(expression e) {
        uint32_t least = 1;
        uint32_t most  = 1;
        if (skip("*")) {
            least = 0;
            most  = unlimited;
        } else if (skip("+")) {
            most = unlimited;
        } else if (skip("?")) {
            least = 0;
        } else if (skip("{")) {
            least = read_number();
            most  = skip(",") ? read_number() : least;
            if (!skip("}") || most < least) {
                refuse("a quantifier is not as expected");
            }
        } else {
            return e;
        }
        if (at_symbol('*') || at_symbol('+') || at_symbol('?') || at_symbol('{')) {
            refuse("a lazy, possessive or second quantifier");
        }
        if (may_be_empty(e)) {
            refuse("what may be empty is repeated");
        }
        e       = of_parts(kind::repeat, {std::move(e)});
        e.least = least;
        e.most  = most;
        return e;
    }

    uint32_t read_number() {
        uint32_t number = 0;
        size_t   digits = 0;
        while (!at_end() && symbol_set('0', '9').contains(text[at])) {
            number = number * 10 + (next() - '0');
            digits++;
        }
        if (digits < 1 || digits > 4) {
            refuse("a number of repetitions is not as expected");
        }
        return number;
    }

    symbol_set read_class() {
        const bool negative = skip("^");
        symbol_set set;
        while (!skip("]")) {
            set = set | read_class_item();
        }
        if (set.empty()) {
            refuse("a class is empty");
        }
        return negative ? ~set : set;
    }

    symbol_set read_class_item() {
        if (at_symbol('[') && (at_symbol(':', 1) || at_symbol('.', 1) || at_symbol('=', 1))) {
            refuse("a named class");
        }
        const symbol_set item = read_class_symbols();
        if (!at_symbol('-') || at_symbol(']', 1)) {
            return item;
        }
        if (!is_single) {
            refuse("a range begins with a class");
        }
        const symbol first = single;
        next(); // the dash
        read_class_symbols();
        if (!is_single || single < first) {
            refuse("a range ends before it begins, or with a class");
        }
        return {first, single};
    }

    // One symbol, which is kept as `single` too, or a class such as \s.
    symbol_set read_class_symbols() {
        if (skip("\\")) {
            return read_escape();
        }
        single    = next();
        is_single = true;
        return {single, single};
    }

    symbol_set read_escape() {
        const symbol letter = next();
        is_single           = false;
        switch (letter) {
            case 's': return white_space();
            case 'S': return ~white_space();
            case 'd': return {'0', '9'};
            case 'p': return read_category();
            case 'n': return of_single('\n');
            case 'r': return of_single('\r');
            case 't': return of_single('\t');
            default: break;
        }
        if (letter > 0x7F || symbol_set('0', '9').contains(letter) || symbol_set('A', 'Z').contains(letter) ||
            symbol_set('a', 'z').contains(letter) || letter == '_') {
            refuse("an escape that is not supported");
        }
        return of_single(letter);
    }

    symbol_set of_single(symbol s) {
        single    = s;
        is_single = true;
        return {s, s};
    }

    static symbol_set white_space() { return symbol_set('\t', '\r') | symbol_set(' ', ' '); }

    symbol_set read_category() {
        std::string name;
        if (!skip("{")) {
            refuse("a category without a name");
        }
        while (!skip("}")) {
            name += (char) next();
        }
        symbol_set set = category(name);
        if (set.empty()) {
            refuse("an unknown category");
        }
        return set;
    }

    const std::vector<symbol> & text;
    size_t                      at        = 0;
    symbol                      single    = 0;
    bool                        is_single = false;
};

} // namespace

expression parse_expression(const std::vector<symbol> & text) {
    return parser(text).read();
}

} // namespace lucifer::engine
