#include "special-tokens.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <stdexcept>

namespace lucifer {

namespace {

size_t two_bytes(char first, char second) {
    return (size_t) (unsigned char) first << 8 | (unsigned char) second;
}

std::length_error too_many_tokens() {
    return std::length_error("the text has more than 2^31 - 1 tokens");
}

std::vector<llama_token> tokenize_by_llama(const llama_vocab * vocab, std::string_view text, bool add_special, bool parse_special) {
    std::vector<llama_token> tokens(text.size() + 16);
    auto try_it = [&] {
        return llama_tokenize(vocab, text.data(), (int32_t) text.size(), tokens.data(), (int32_t) tokens.size(), add_special, parse_special);
    };
    int32_t n = try_it();
    if (n == INT32_MIN) {
        throw too_many_tokens();
    }
    if (n < 0) {
        tokens.resize((size_t) -(int64_t) n);
        n = try_it();
    }
    tokens.resize((size_t) std::max(0, n));
    return tokens;
}

} // namespace

// Source: the cache of special tokens in llama_vocab::impl::load, the order of those of one length included.
special_tokens::special_tokens(const llama_vocab * vocab) : vocab(vocab) {
    if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_NONE) {
        return;
    }
    const int any = LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_USER_DEFINED | LLAMA_TOKEN_ATTR_UNKNOWN;
    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        if (llama_vocab_get_attr(vocab, id) & any) {
            specials.push_back({id, llama_vocab_get_attr(vocab, id), llama_vocab_get_text(vocab, id)});
        }
    }
    std::sort(specials.begin(), specials.end(), [](const special & a, const special & b) { return a.text.size() > b.text.size(); });

    for (const special & s : specials) {
        sorted.push_back(s.text);
        for (int second = 0; second < 256; second++) {
            if (s.text.size() == 1 || (s.text.size() > 1 && s.text[1] == (char) second)) {
                begins.set(two_bytes(s.text[0], (char) second));
            }
        }
    }
    std::sort(sorted.begin(), sorted.end());
}

std::vector<llama_token> special_tokens::tokenize(std::string_view text, bool add_special, bool parse_special, size_t few) const {
    if (!can_be_cut(text) && !has_more_than(few, text)) {
        return tokenize_by_llama(vocab, text, add_special, parse_special);
    }
    // what is put around each text: a token before it, one behind it, both or none
    const std::vector<llama_token> around = add_special ? tokenize_by_llama(vocab, "", true, false) : std::vector<llama_token>();
    const size_t                   before = around.size() > 1 || llama_vocab_get_add_bos(vocab) ? std::min<size_t>(1, around.size()) : 0;

    std::vector<llama_token> tokens(around.begin(), around.begin() + (ptrdiff_t) before);
    std::vector<char>        used(text.size());
    size_t                   at = 0;
    for (const place & p : find(text, parse_special, used)) {
        for (; at < p.begin; at++) {
            if (!used[at]) {
                const size_t begin = at;
                while (at < p.begin && !used[at]) {
                    at++;
                }
                append_plain(text.substr(begin, at - begin), tokens);
            }
        }
        tokens.push_back(p.id);
        at = p.end;
    }
    while (at < text.size() && used[at]) {
        at++;
    }
    append_plain(text.substr(at), tokens);
    tokens.insert(tokens.end(), around.begin() + (ptrdiff_t) before, around.end());
    if (tokens.size() > INT32_MAX) {
        throw too_many_tokens();
    }
    return tokens;
}

bool special_tokens::has_more_than(size_t few, std::string_view text) const {
    size_t n = 0;
    for (size_t at = 0; at < text.size() && n <= few; at++) {
        if (at + 1 == text.size() || begins[two_bytes(text[at], text[at + 1])]) {
            n += count_at(text.substr(at));
        }
    }
    return n > few;
}

// How many special tokens `rest` begins with: those that share its beginning are a narrowing stretch of the sorted ones.
size_t special_tokens::count_at(std::string_view rest) const {
    size_t n     = 0;
    auto   first = sorted.begin();
    auto   last  = sorted.end();
    for (size_t depth = 0; first != last; depth++) {
        while (first != last && first->size() == depth) {
            n++;
            ++first;
        }
        if (depth == rest.size()) {
            break;
        }
        const auto byte  = (unsigned char) rest[depth];
        const auto below = [depth](const std::string_view & s, unsigned char c) { return (unsigned char) s[depth] < c; };
        const auto above = [depth](unsigned char c, const std::string_view & s) { return c < (unsigned char) s[depth]; };
        first            = std::lower_bound(first, last, byte, below);
        last             = std::upper_bound(first, last, byte, above);
    }
    return n;
}

// Source: llama_vocab::impl::tokenizer_st_partition: the longest first, each from left to right, in what those before it left.
std::vector<special_tokens::place> special_tokens::find(std::string_view text, bool parse_special, std::vector<char> & used) const {
    std::vector<place> places;
    for (const special & s : specials) {
        if (!parse_special && (s.attributes & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_UNKNOWN))) {
            continue;
        }
        size_t next = 0;
        for (size_t at = text.find(s.text); at != std::string_view::npos; at = text.find(s.text, next)) {
            const auto begin = used.begin() + (ptrdiff_t) at;
            const auto end   = begin + (ptrdiff_t) s.text.size();
            if (std::find(begin, end, 1) != end) {
                next = at + 1;
                continue;
            }
            next = at + s.text.size();
            std::fill(begin, end, 1);
            places.push_back({at, next, s.id});
            if (s.attributes & LLAMA_TOKEN_ATTR_LSTRIP) {
                for (size_t i = at; i > 0 && !used[i - 1] && isspace((unsigned char) text[i - 1]); i--) {
                    used[i - 1] = 1;
                }
            }
            if (s.attributes & LLAMA_TOKEN_ATTR_RSTRIP) {
                for (; next < text.size() && !used[next] && isspace((unsigned char) text[next]); next++) {
                    used[next] = 1;
                }
            }
        }
    }
    std::sort(places.begin(), places.end(), [](const place & a, const place & b) { return a.begin < b.begin; });
    return places;
}

bool special_tokens::can_be_cut(std::string_view text) const {
    constexpr size_t long_text = 4096;
    return text.size() > long_text && llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_SPM;
}

// Nothing in it is special, and it is at the beginning or behind a special token: as if it were a text of its own.
void special_tokens::append_plain(std::string_view text, std::vector<llama_token> & tokens) const {
    const auto append = [&](const merge_borders::part & part) {
        const std::vector<llama_token> plain = tokenize_by_llama(vocab, part.text, false, false);
        tokens.insert(tokens.end(), plain.begin() + (ptrdiff_t) part.n_ahead, plain.end());
    };
    if (can_be_cut(text)) {
        std::call_once(borders_made, [&] { borders = std::make_unique<merge_borders>(vocab); });
        for (const merge_borders::part & part : borders->cut(text)) {
            append(part);
        }
    } else if (!text.empty()) {
        append({text, 0});
    }
}

} // namespace lucifer
