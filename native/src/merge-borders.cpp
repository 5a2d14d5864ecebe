#include "merge-borders.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace lucifer {

namespace {

constexpr uint32_t space     = 0xE29681; // "▁", which stands for a space in such a vocabulary
constexpr uint32_t beginning = 0;        // before a token's first character
constexpr size_t   part_size = 1024;

// Bytes of the character that begins with this one. Source: unicode_len_utf8 in llama.cpp's src/unicode.cpp.
size_t length_by(char first) {
    static const size_t lengths[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
    return lengths[(unsigned char) first >> 4];
}

// The character that a text begins with; takes it off.
uint32_t next(std::string_view & text) {
    const size_t length = std::min(text.size(), length_by(text[0]));
    uint32_t     bytes  = 0;
    for (const char byte : text.substr(0, length)) {
        bytes = bytes << 8 | (unsigned char) byte;
    }
    text.remove_prefix(length);
    return bytes == ' ' ? space : bytes;
}

// Whether a character is the same for llama.cpp, which replaces spaces first: none of its bytes may be one that was to be another's.
bool is_whole(std::string_view character) {
    return std::all_of(character.begin() + 1, character.end(), [](char byte) { return ((unsigned char) byte & 0xC0) == 0x80; });
}

// 0 where a byte of the text has no token, which llama.cpp takes for a fault.
int32_t count_tokens(const llama_vocab * vocab, const std::string & text) {
    try {
        return -llama_tokenize(vocab, text.data(), (int32_t) text.size(), nullptr, 0, false, false);
    } catch (const std::out_of_range &) {
        return 0;
    }
}

uint64_t pair(uint32_t left, uint32_t right) {
    return (uint64_t) left << 32 | right;
}

} // namespace

merge_borders::merge_borders(const llama_vocab * vocab) : vocab(vocab) {
    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        uint32_t left = beginning;
        for (std::string_view rest = llama_vocab_get_text(vocab, id); !rest.empty();) {
            const uint32_t right = next(rest);
            neighbours.push_back(pair(left, right));
            left = right;
        }
    }
    std::sort(neighbours.begin(), neighbours.end());
    neighbours.erase(std::unique(neighbours.begin(), neighbours.end()), neighbours.end());
    may_cut = count_prefix();
}

bool merge_borders::has_token_with(character left, character right) const {
    return std::binary_search(neighbours.begin(), neighbours.end(), pair(left, right));
}

// Of a character that no token has, one and two: what they differ by is the character's, the rest the prefix's.
bool merge_borders::count_prefix() {
    for (char last = (char) 0x80; last != (char) 0xC0; last++) {
        const std::string unused   = std::string("\xF3\xB0\x80") + last; // for private use, and unlike others hardly used
        std::string_view  rest     = unused;
        const character   symbol   = next(rest);
        const auto        is_other = [&](uint64_t p) { return p >> 32 != symbol && (uint32_t) p != symbol; };
        if (std::all_of(neighbours.begin(), neighbours.end(), is_other)) {
            const int32_t one = count_tokens(vocab, unused);
            const int32_t two = count_tokens(vocab, unused + unused);
            n_prefix          = (size_t) std::max(0, 2 * one - two);
            return one > 0 && two > 0;
        }
    }
    return false;
}

std::vector<merge_borders::part> merge_borders::cut(std::string_view text) const {
    std::vector<part> parts;
    part              open  = {text, 0};
    uint32_t          left  = beginning;
    size_t            begin = 0; // of the open part
    for (std::string_view rest = text; may_cut && !rest.empty();) {
        const size_t   at    = text.size() - rest.size();
        const uint32_t right = next(rest);
        const size_t   end   = text.size() - rest.size();
        if (!is_whole(text.substr(at, end - at))) {
            break; // the rest is one part
        }
        const bool is_space   = right == space && text[at] == ' ' && n_prefix > 0; // the one that is put before the part
        const bool may_follow = n_prefix == 0 || (is_space ? end < text.size() : !has_token_with(space, right));
        if (at - begin >= part_size && may_follow && !has_token_with(left, right)) {
            open.text = text.substr(begin, at - begin);
            parts.push_back(open);
            begin = is_space ? end : at;
            open  = {text.substr(begin), is_space ? 0 : n_prefix};
        }
        left = right;
    }
    parts.push_back(open);
    return parts;
}

} // namespace lucifer
