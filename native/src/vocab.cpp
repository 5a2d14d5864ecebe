#include "objects.h"

#include <climits>

namespace lucifer {

void require_vocab(const lucifer_model & model) {
    if (llama_vocab_type(model.vocab) == LLAMA_VOCAB_TYPE_NONE) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "%s has no vocabulary: it can compute tokens, but neither read nor write text", model.path.c_str());
    }
}

void require_token(const lucifer_model & model, int32_t token) {
    const int32_t n_vocab = llama_vocab_n_tokens(model.vocab);
    if (token < 0 || token >= n_vocab) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "token %d is not in the vocabulary of %d", token, n_vocab);
    }
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_tokenize(const struct lucifer_model * model, const char * text, int64_t n_bytes, int32_t add_special, int32_t parse_special,
                         int32_t * tokens, int32_t cap, int32_t * n_tokens) {
    return guard_object("lucifer_tokenize", model, [&] {
        require(n_tokens, "n_tokens");
        require_vocab(*model);
        if (n_bytes < 0 || n_bytes > INT_MAX || (text == nullptr && n_bytes > 0)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "text is null or its length %lld is not between 0 and 2^31 - 1", (long long) n_bytes);
        }
        if (cap < 0 || (tokens == nullptr && cap > 0)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or its capacity %d is negative", cap);
        }
        const int32_t n = llama_tokenize(model->vocab, text == nullptr ? "" : text, (int32_t) n_bytes, tokens, cap, add_special != 0,
                                         parse_special != 0);
        if (n == INT32_MIN) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the text has more than 2^31 - 1 tokens");
        }
        *n_tokens = n < 0 ? -n : n;
        return (int32_t) (n < 0 ? LUCIFER_STATUS_BUFFER_TOO_SMALL : LUCIFER_STATUS_OK);
    });
}

int32_t lucifer_token_piece(const struct lucifer_model * model, int32_t token, int32_t special, char * buf, int64_t cap, int64_t * len) {
    return guard_object("lucifer_token_piece", model, [&] {
        require(len, "len");
        require_vocab(*model);
        require_token(*model, token);
        if (cap < 0 || (cap > 0 && buf == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "buf is null or its capacity %lld is negative", (long long) cap);
        }
        const int32_t n = llama_token_to_piece(model->vocab, token, buf, (int32_t) (cap > INT_MAX ? INT_MAX : cap), 0, special != 0);
        *len            = n < 0 ? -n : n;
        return (int32_t) (n < 0 ? LUCIFER_STATUS_BUFFER_TOO_SMALL : LUCIFER_STATUS_OK);
    });
}

int32_t lucifer_detokenize(const struct lucifer_model * model, const int32_t * tokens, int32_t n_tokens, int32_t remove_special,
                           int32_t unparse_special, char * buf, int64_t cap, int64_t * len) {
    return guard_object("lucifer_detokenize", model, [&] {
        require_vocab(*model);
        if (n_tokens < 0 || (n_tokens > 0 && tokens == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or their number %d is negative", n_tokens);
        }
        for (int32_t i = 0; i < n_tokens; i++) {
            require_token(*model, tokens[i]);
        }
        // into a buffer of our own: when it does not fit, llama.cpp gives the length before clean-up, not the text's
        std::string text((size_t) n_tokens * 8 + 64, '\0');
        int32_t     n = llama_detokenize(model->vocab, tokens, n_tokens, &text[0], (int32_t) text.size(), remove_special != 0,
                                         unparse_special != 0);
        if (n < 0) {
            text.resize((size_t) -n);
            n = llama_detokenize(model->vocab, tokens, n_tokens, &text[0], (int32_t) text.size(), remove_special != 0,
                                 unparse_special != 0);
        }
        if (n < 0) {
            fail(LUCIFER_STATUS_FAILED, "llama_detokenize: %d", n);
        }
        return put_text(text.data(), (size_t) n, buf, cap, len);
    });
}
