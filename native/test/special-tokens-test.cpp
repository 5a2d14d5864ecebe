// Texts that are cut by us have the tokens that llama.cpp gives them as a whole, with each vocabulary of its source tree.

#include "check.h"
#include "special-tokens.h"

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace {

using random_source = std::mt19937;

std::vector<llama_token> tokenize_by_llama(const llama_vocab * vocab, const std::string & text, bool add_special, bool parse_special) {
    std::vector<llama_token> tokens(text.size() * 4 + 16);
    const int32_t n = llama_tokenize(vocab, text.data(), (int32_t) text.size(), tokens.data(), (int32_t) tokens.size(), add_special, parse_special);
    CHECK(n >= 0);
    tokens.resize((size_t) n);
    return tokens;
}

std::vector<std::string> special_texts(const llama_vocab * vocab) {
    std::vector<std::string> texts;
    for (llama_token id = 0; id < llama_vocab_n_tokens(vocab); id++) {
        if (llama_vocab_get_attr(vocab, id) & (LLAMA_TOKEN_ATTR_CONTROL | LLAMA_TOKEN_ATTR_USER_DEFINED | LLAMA_TOKEN_ATTR_UNKNOWN)) {
            texts.push_back(llama_vocab_get_text(vocab, id));
        }
    }
    return texts;
}

std::string random_text(random_source & random, const std::vector<std::string> & specials) {
    const char * const plain[] = {"a", "word", " ", "  ", "\n", "\t ", "<", ">", "|", "[", "1", "中", "é", "▁", "</", "<|"};
    std::string        text;
    for (size_t n = random() % 60; n > 0; n--) {
        if (specials.empty() || random() % 3 == 0) {
            text += plain[random() % std::size(plain)];
        } else {
            const std::string & special = specials[random() % std::min<size_t>(specials.size(), random() % 2 == 0 ? 6 : 10000)];
            text += random() % 8 == 0 ? special.substr(0, random() % special.size()) : special;
        }
    }
    return text;
}

void agrees_with_llama(const llama_vocab * vocab, random_source & random) {
    const lucifer::special_tokens  specials(vocab);
    const std::vector<std::string> texts = special_texts(vocab);
    for (int i = 0; i < 100; i++) {
        const std::string text          = random_text(random, texts);
        const bool        add_special   = random() % 2 == 0;
        const bool        parse_special = random() % 4 != 0;
        const auto        expected      = tokenize_by_llama(vocab, text, add_special, parse_special);
        CHECK(specials.tokenize(text, add_special, parse_special) == expected);
        if (specials.tokenize(text, add_special, parse_special, 0) != expected) {
            fprintf(stderr, "special-tokens-test: cut in another way: '%s'\n", text.c_str());
            exit(1);
        }
    }
}

// Longer than what is cut: of tokens, which belong together, and of what may stand at a border, characters that are none too.
std::string long_text(const llama_vocab * vocab, random_source & random) {
    const char * const between[] = {" ", "  ", "\n", "\n\n", "\t", "\xE2\x96\x81", "\xEE\x80\x80", "\xF0\x9F\xA6\x99", "<0x0A>", "\x80", "\xE2\x96", "\xC3", "e\xCC\x81", "="};
    const size_t       n_tokens  = (size_t) llama_vocab_n_tokens(vocab);
    const size_t       n_between = random() % 3 == 0 ? std::size(between) : 9; // without what is no UTF-8
    std::string        text;
    while (text.size() < 5000 + random() % 10000) {
        if (random() % 2 == 0) {
            text += llama_vocab_get_text(vocab, (llama_token) (random() % n_tokens));
        } else {
            const char * one = between[random() % n_between];
            for (size_t n = random() % 8 == 0 ? random() % 3000 : 1 + random() % 3; n > 0; n--) {
                text += one;
            }
        }
    }
    return text;
}

void long_texts_agree_with_llama(const llama_vocab * vocab, random_source & random) {
    const lucifer::special_tokens specials(vocab);
    for (int i = 0; i < 40; i++) {
        const std::string text        = long_text(vocab, random);
        const bool        add_special = random() % 2 == 0;
        CHECK(specials.tokenize(text, add_special, true) == tokenize_by_llama(vocab, text, add_special, true));
    }
}

// Longer than what llama.cpp alone takes a minute for.
void takes_many_unknown_characters(const llama_vocab * vocab) {
    const lucifer::special_tokens specials(vocab);
    const std::string             text(4000000, '\n');
    CHECK(specials.tokenize(text, false, true).size() > 100000);
}

// A megabyte, which llama.cpp alone takes minutes for.
void takes_very_many(const llama_vocab * vocab) {
    const lucifer::special_tokens  specials(vocab);
    const std::vector<std::string> texts = special_texts(vocab);
    const std::string              special = texts.empty() ? "<s>" : texts.front();
    std::string                    text;
    while (text.size() < 300000) {
        text += special + "x";
    }
    const auto tokens = specials.tokenize(text, false, true);
    CHECK(texts.empty() || (size_t) std::count(tokens.begin(), tokens.end(), tokens.front()) == text.size() / (special.size() + 1));
}

// A vocabulary with a space before every text, where it has one, or without.
llama_model * load(const std::string & path, bool prefix) {
    llama_model_kv_override no_prefix[2] = {};
    no_prefix[0].tag                     = LLAMA_KV_OVERRIDE_TYPE_BOOL;
    snprintf(no_prefix[0].key, sizeof(no_prefix[0].key), "tokenizer.ggml.add_space_prefix");
    llama_model_params params = llama_model_default_params();
    params.vocab_only         = true;
    params.kv_overrides       = prefix ? nullptr : no_prefix;
    llama_model * model       = llama_model_load_from_file(path.c_str(), params);
    CHECK(model != nullptr);
    return model;
}

} // namespace

int main(int argc, char ** argv) {
    CHECK(argc == 2);
    llama_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    random_source random(20261128);
    int           n_vocabularies  = 0;
    int           n_sentencepiece = 0;
    for (const auto & entry : std::filesystem::directory_iterator(argv[1])) {
        if (entry.path().extension() != ".gguf") {
            continue;
        }
        llama_model *       model = load(entry.path().string(), true);
        const llama_vocab * vocab = llama_model_get_vocab(model);
        agrees_with_llama(vocab, random);
        if (n_vocabularies++ == 0) {
            takes_very_many(vocab);
        }
        if (llama_vocab_type(vocab) == LLAMA_VOCAB_TYPE_SPM) {
            long_texts_agree_with_llama(vocab, random);
            takes_many_unknown_characters(vocab);
            llama_model * bare = load(entry.path().string(), false);
            long_texts_agree_with_llama(llama_model_get_vocab(bare), random);
            llama_model_free(bare);
            n_sentencepiece++;
        }
        llama_model_free(model);
    }
    CHECK(n_sentencepiece >= 3);
    CHECK(n_vocabularies > 10);
    return 0;
}
