#include "gbnf.h"

#include "guard.h"

#include "llama.h"
#include "src/llama-grammar.h" // not public: the form of parsed rules

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

namespace lucifer {

namespace {

constexpr int      max_depth      = 200;      // of brackets: the parser recurses
constexpr size_t   max_token_text = 1000;     // between < and >
constexpr uint64_t max_beginnings = 20000000; // that llama.cpp follows, in half a second
constexpr uint32_t max_chain      = 50000;    // of rules that begin with the next: it recurses, with some 200 bytes of stack for each

// Reads what stands between two of a grammar's words as llama.cpp's parser does. Where the two would part, the parser stops with an error.
class scanner {
public:
    scanner(const std::string & grammar, int32_t n_tokens) : start_(grammar.c_str()), at_(start_), n_tokens_(n_tokens) {}

    void scan() {
        int depth = 0;
        while (*at_ != '\0') {
            switch (*at_) {
                case '#': skip_comment(); break;
                case '"': literal(); break;
                case '[': char_class(); break;
                case '<': token(); break;
                case '{': repetition(); break;
                case '(':
                    if (++depth > max_depth) {
                        refuse("brackets are nested deeper than %d", max_depth);
                    }
                    at_++;
                    break;
                case ')': depth--; at_++; break;
                default: at_++;
            }
        }
    }

private:
    template <typename... A> [[noreturn]] void refuse(const char * what, A... values) const {
        const std::string text = format(what, values...);
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: line %d: %s", (int) (1 + std::count(start_, at_, '\n')), text.c_str());
    }

    void skip_comment() {
        at_ += strcspn(at_, "\r\n");
    }

    void skip_space() {
        while (*at_ != '\0' && strchr(" \t\r\n#", *at_) != nullptr) {
            if (*at_ == '#') {
                skip_comment();
            } else {
                at_++;
            }
        }
    }

    // A character of a literal or class, escaped or not.
    uint32_t character() {
        const char c = *at_;
        if (c != '\\') {
            return utf8();
        }
        const char kind = at_[1];
        at_ += kind == '\0' ? 1 : 2;
        const int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
        uint32_t  value  = digits == 0 ? (uint32_t) (unsigned char) kind : 0;
        for (int i = 0; i < digits && isxdigit((unsigned char) *at_); i++, at_++) {
            value = value << 4 | (uint32_t) (*at_ <= '9' ? *at_ - '0' : (*at_ | 0x20) - 'a' + 10);
        }
        if (value > 0x10FFFF) {
            refuse("\\U%08X is no character: the last is \\U0010FFFF", value);
        }
        switch (digits == 0 ? kind : 0) {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            default: return value;
        }
    }

    uint32_t utf8() {
        const auto first = (unsigned char) *at_++;
        const int  more  = first < 0xC0 ? 0 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
        uint32_t   value = more == 0 ? first : first & (0x3Fu >> more);
        for (int i = 0; i < more && *at_ != '\0'; i++) {
            value = value << 6 | ((unsigned char) *at_++ & 0x3F);
        }
        return value;
    }

    void literal() {
        at_++;
        while (*at_ != '\0' && *at_ != '"') {
            const uint32_t value = character();
            if (is_none(value, value)) {
                refuse("U+%04X in a literal is no character of a text", value);
            }
        }
        at_ += *at_ != '\0';
    }

    void char_class() {
        const bool                                 inverse = at_[1] == '^';
        std::vector<std::pair<uint32_t, uint32_t>> ranges;
        at_ += inverse ? 2 : 1;
        while (*at_ != '\0' && *at_ != ']') {
            const uint32_t low  = character();
            uint32_t       high = low;
            if (at_[0] == '-' && at_[1] != ']' && at_[1] != '\0') {
                at_++;
                high = character();
                if (high < low) {
                    refuse("a range of characters ends (U+%04X) before it begins (U+%04X)", high, low);
                }
            }
            ranges.emplace_back(low, high);
        }
        // llama.cpp takes an empty class for the end of the rule, and one without characters for bytes that are no UTF-8
        if (ranges.empty()) {
            refuse("a class of characters is empty%s", inverse ? "; any character is written ." : "");
        }
        if (!inverse && std::all_of(ranges.begin(), ranges.end(), [](const auto & range) { return is_none(range.first, range.second); })) {
            refuse("a class of characters has none that a text can hold: NUL and halves of UTF-16's pairs are none");
        }
        if (inverse && are_all(ranges)) {
            refuse("a class of characters excludes all of them");
        }
        at_ += *at_ != '\0';
    }

    // Whether no character of a text is in this range: NUL and halves of UTF-16's pairs are none.
    static bool is_none(uint32_t low, uint32_t high) {
        return high == 0 || (low >= 0xD800 && high <= 0xDFFF);
    }

    // Whether no character of a text is outside them.
    static bool are_all(std::vector<std::pair<uint32_t, uint32_t>> ranges) {
        ranges.emplace_back(0, 0);
        ranges.emplace_back(0xD800, 0xDFFF);
        std::sort(ranges.begin(), ranges.end());
        uint32_t next = 0; // the first that is in none
        for (const auto & range : ranges) {
            if (range.first > next) {
                return false;
            }
            next = std::max(next, range.second + 1);
        }
        return next > 0x10FFFF;
    }

    void token() {
        const size_t size = strcspn(at_, ">");
        if (size > max_token_text) {
            refuse("a token between < and > is longer than %zu bytes", max_token_text);
        }
        if (at_[1] == '[') {
            at_ += 2;
            if (number() >= (uint64_t) n_tokens_) {
                refuse("a token's number is beyond the vocabulary's last, %d", n_tokens_ - 1);
            }
        } else {
            at_ += size;
        }
    }

    void repetition() {
        at_++;
        skip_space();
        const uint64_t least = number();
        skip_space();
        if (*at_ != ',') {
            return;
        }
        at_++;
        skip_space();
        if (isdigit((unsigned char) *at_) && number() < least) {
            refuse("a repetition is of at least %llu times, and of fewer at most", (unsigned long long) least);
        }
    }

    // Any digits here; 0 where there are none.
    uint64_t number() {
        uint64_t value = 0;
        for (; isdigit((unsigned char) *at_); at_++) {
            value = value * 10 + (uint64_t) (*at_ - '0');
            if (value > INT32_MAX) {
                refuse("a number is larger than %d", INT32_MAX);
            }
        }
        return value;
    }

    const char * start_;
    const char * at_;
    int32_t      n_tokens_;
};

// The rules that each rule may begin with, as llama.cpp follows them: behind a rule with an empty alternative also the next.
class beginnings {
public:
    explicit beginnings(const llama_grammar_rules & rules) : rules_(rules), empty_(rules.size()) {
        for (size_t i = 0; i < rules.size(); i++) {
            empty_[i] = has_empty(rules[i]);
        }
    }

    std::vector<uint32_t> of(uint32_t rule) const {
        std::vector<uint32_t> all;
        bool                  begins = true;
        for (const auto & element : rules_[rule]) {
            if (is_end(element)) {
                begins = true;
            } else if (element.type == LLAMA_GRETYPE_RULE_REF && begins) {
                all.push_back(element.value);
                begins = empty_[element.value];
            } else {
                begins = false;
            }
        }
        return all;
    }

private:
    static bool is_end(const llama_grammar_element & element) {
        return element.type == LLAMA_GRETYPE_END || element.type == LLAMA_GRETYPE_ALT;
    }

    static bool has_empty(const llama_grammar_rule & rule) {
        bool begins = true;
        for (const auto & element : rule) {
            if (is_end(element) && begins) {
                return true;
            }
            begins = is_end(element);
        }
        return false;
    }

    const llama_grammar_rules & rules_;
    std::vector<bool>           empty_;
};

// "item" for the rules that the parser makes of brackets and repetitions in it, such as "item_12".
std::string written_name(const std::string & name) {
    return name.substr(0, name.find('_'));
}

} // namespace

void gbnf_check_text(const std::string & grammar, int32_t n_tokens) {
    scanner(grammar, n_tokens).scan();
}

void gbnf_check_rules(const llama_grammar_rules & rules, const std::vector<std::string> & names) {
    struct visit {
        uint32_t              rule;
        std::vector<uint32_t> next;
        size_t                done;
    };
    struct known {
        uint64_t calls = 0; // that following the rule takes; 0: not followed yet
        uint32_t chain = 0;
        bool     open  = false;
    };
    const beginnings   first(rules);
    std::vector<known> all(rules.size());
    std::vector<visit> path;
    uint64_t           calls = 0; // llama.cpp begins anew with each rule that it has not met
    for (uint32_t root = 0; root < rules.size(); root++) {
        if (all[root].calls != 0) {
            continue;
        }
        path.push_back({root, first.of(root), 0});
        while (!path.empty()) {
            visit & v    = path.back();
            known & rule = all[v.rule];
            rule.open    = true;
            if (v.done < v.next.size()) {
                const uint32_t next = v.next[v.done];
                if (all[next].open) {
                    fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: left recursion: rule '%s' begins with itself",
                         written_name(names[next]).c_str());
                }
                if (all[next].calls == 0) {
                    path.push_back({next, first.of(next), 0});
                    continue;
                }
                rule.calls = std::min(rule.calls + all[next].calls, max_beginnings);
                rule.chain = std::max(rule.chain, all[next].chain + 1);
                v.done++;
                continue;
            }
            rule.calls++;
            rule.open = false;
            if (rule.calls > max_beginnings || rule.chain > max_chain) {
                fail(LUCIFER_STATUS_INVALID_ARGUMENT,
                     "invalid grammar: rule '%s' begins with others, which begin with others, in too many ways or too deeply (at most %u)",
                     written_name(names[v.rule]).c_str(), max_chain);
            }
            path.pop_back();
        }
        calls += all[root].calls;
        if (calls > max_beginnings) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid grammar: its rules begin with each other in too many ways");
        }
    }
}

} // namespace lucifer
