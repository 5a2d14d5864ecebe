#pragma once

// Long texts in a SentencePiece vocabulary: what llama.cpp takes for a character that is no token grows with the tokens before it, and
// with it a megabyte of line ends takes a minute. Between two characters that no token has side by side nothing is ever merged: there
// such a text is cut, and llama.cpp tokenizes the parts.

#include "llama.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace lucifer {

// The borders of a vocabulary, which must outlive this object. Safe to use from several threads.
class merge_borders {
public:
    explicit merge_borders(const llama_vocab * vocab);

    // A part of a text, as a text of its own, and how many of its first tokens stand for nothing in it.
    struct part {
        std::string_view text;
        size_t           n_ahead;
    };

    // Parts of about a kilobyte, or of what cannot be cut. The tokens of the text are theirs, one part's behind the other's.
    std::vector<part> cut(std::string_view text) const;

private:
    using character = uint32_t; // its UTF-8

    bool has_token_with(character left, character right) const;
    bool count_prefix();

    const llama_vocab *   vocab;
    std::vector<uint64_t> neighbours; // two characters of a token, sorted
    size_t                n_prefix = 0; // tokens of the space that is put before every text
    bool                  may_cut;
};

} // namespace lucifer
