// A text, behind a byte that chooses one of llama.cpp's vocabularies, one of each kind, and whether special tokens are parsed.

#include "frame.h"

static const char * const vocabularies[] = {"llama-spm", "gpt-2", "bert-bge", "deepseek-llm", "falcon", "qwen2", "gpt-neox", "aquila"};

static std::vector<int32_t> tokenize(lucifer_model * model, const std::string & text, bool special) {
    auto t          = sized<lucifer_tokens>();
    t.text          = text.data();
    t.n_bytes       = (int64_t) text.size();
    t.add_special   = special;
    t.parse_special = special;
    std::vector<int32_t> tokens(text.size() + 16);
    t.tokens = tokens.data();
    t.cap    = (int32_t) tokens.size();
    int32_t status = lucifer_tokenize(model, &t);
    if (status == LUCIFER_STATUS_BUFFER_TOO_SMALL) { // a character may be more tokens than bytes
        tokens.resize((size_t) t.n_tokens);
        t.tokens = tokens.data();
        t.cap    = t.n_tokens;
        status   = lucifer_tokenize(model, &t);
    }
    tokens.resize(accepted(status) ? (size_t) t.n_tokens : 0);
    return tokens;
}

static void detokenize(lucifer_model * model, const std::vector<int32_t> & tokens) {
    int64_t       len    = 0;
    const int32_t status = lucifer_detokenize(model, tokens.data(), (int32_t) tokens.size(), 0, 1, nullptr, 0, &len);
    must(status == LUCIFER_STATUS_BUFFER_TOO_SMALL || (status == LUCIFER_STATUS_OK && len == 0), "a text's tokens have no text");
    std::string text((size_t) len, '\0');
    must(lucifer_detokenize(model, tokens.data(), (int32_t) tokens.size(), 0, 1, &text[0], len, &len) == LUCIFER_STATUS_OK,
         "tokens have a length, but no text");
}

void attempt(const std::string & input) {
    constexpr size_t n = sizeof(vocabularies) / sizeof(*vocabularies);
    if (input.empty()) {
        return;
    }
    const size_t      choice = (unsigned char) input[0];
    lucifer_model *   model  = sound_model(std::string(LLAMA_CPP_DIR "/models/ggml-vocab-") + vocabularies[choice % n] + ".gguf");
    detokenize(model, tokenize(model, input.substr(1), choice / n % 2 == 1));
}
