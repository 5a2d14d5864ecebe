#pragma once

// Texts with very many special tokens: llama.cpp walks over all parts found so far for each that it finds, which takes minutes for a
// megabyte of them. Such texts are cut here, by the same rules, and only their plain parts are llama.cpp's. So are long texts where
// plain parts can be cut further.

#include "merge-borders.h"

#include "llama.h"

#include <bitset>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace lucifer {

// The special tokens of a vocabulary, which must outlive this object. Safe to use from several threads.
class special_tokens {
public:
    explicit special_tokens(const llama_vocab * vocab);

    // The tokens that llama_tokenize gives; a text with more than `few` places where a special token may be is cut here. Throws
    // std::length_error when there are more than 2^31 - 1.
    std::vector<llama_token> tokenize(std::string_view text, bool add_special, bool parse_special, size_t few = 4000) const;

private:
    struct special {
        llama_token      id;
        llama_token_attr attributes;
        std::string_view text;
    };

    // A special token in a text.
    struct place {
        size_t      begin;
        size_t      end;
        llama_token id;
    };

    bool               has_more_than(size_t few, std::string_view text) const;
    size_t             count_at(std::string_view rest) const;
    std::vector<place> find(std::string_view text, bool parse_special, std::vector<char> & used) const;
    bool               can_be_cut(std::string_view text) const;
    void               append_plain(std::string_view text, std::vector<llama_token> & tokens) const;

    const llama_vocab *           vocab;
    std::vector<special>          specials; // in the order in which llama.cpp looks for them
    std::vector<std::string_view> sorted;   // their texts
    std::bitset<1 << 16>          begins;   // by two bytes: whether one begins so

    // made when the first long text comes
    mutable std::once_flag                 borders_made;
    mutable std::unique_ptr<merge_borders> borders;
};

} // namespace lucifer
