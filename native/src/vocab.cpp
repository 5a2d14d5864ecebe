#include "free-memory.h"
#include "objects.h"

#include <algorithm>
#include <climits>
#include <new>
#include <stdexcept>
#include <string_view>

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

namespace {

// What a text takes grows with its length, and so does what it may take: the limit of time for each MiB, and half of the memory that is
// free, which only a long one could come to.
budget budget_for(const lucifer_tokens & t) {
    constexpr int64_t short_text = 1 << 16;
    constexpr int64_t unlimited  = INT64_MAX / 4; // a budget adds to it

    budget allowed;
    allowed.cancelled = t.cancel;
    allowed.deadline  = budget_clock() + (int64_t) std::min((double) unlimited, (double) (1 + (t.n_bytes >> 20)) * (double) limit_nanos());
    allowed.max_bytes = t.n_bytes > short_text ? (int64_t) memory_available(unlimited) / 2 : unlimited;
    return allowed;
}

[[noreturn]] void fail_spent(const lucifer_tokens & t, const budget & allowed) {
    const double mib = (double) t.n_bytes / (1 << 20);
    if (allowed.spent == budget::memory) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "a text of %.1f MiB takes more than %lld MiB of memory to tokenize, half of what is free: give it in parts", mib,
             (long long) (allowed.max_bytes >> 20));
    }
    if (allowed.spent == budget::time) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "a text of %.1f MiB takes more than %g s of processor time for each MiB to tokenize (-Dai.luciferai.llama.limit.seconds)",
             mib, (double) limit_nanos() / 1e9);
    }
    fail(LUCIFER_STATUS_CANCELLED, "cancelled");
}

std::vector<llama_token> tokenize(const lucifer_model & model, const lucifer_tokens & t) {
    const std::string_view   text(t.text == nullptr ? "" : t.text, (size_t) t.n_bytes);
    budget                   allowed = budget_for(t);
    std::vector<llama_token> tokens;
    try {
        charged_scope scope(allowed);
        tokens = model.specials.tokenize(text, t.add_special != 0, t.parse_special != 0);
    } catch (const std::length_error & e) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s", e.what());
    } catch (const std::bad_alloc &) {
        if (allowed.spent == budget::none) {
            throw;
        }
    }
    if (allowed.spent != budget::none) {
        fail_spent(t, allowed);
    }
    return tokens;
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_tokenize(const struct lucifer_model * model, struct lucifer_tokens * t) {
    return guard_object("lucifer_tokenize", model, [&] {
        require_size(t);
        require_vocab(*model);
        if (t->n_bytes < 0 || t->n_bytes > INT_MAX || (t->text == nullptr && t->n_bytes > 0)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "text is null or its length %lld is not between 0 and 2^31 - 1", (long long) t->n_bytes);
        }
        if (t->cap < 0 || (t->tokens == nullptr && t->cap > 0)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or its capacity %d is negative", t->cap);
        }
        const auto tokens = tokenize(*model, *t);
        t->n_tokens       = (int32_t) tokens.size();
        if (t->n_tokens > t->cap) {
            return (int32_t) LUCIFER_STATUS_BUFFER_TOO_SMALL;
        }
        std::copy(tokens.begin(), tokens.end(), t->tokens);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_token_piece(const struct lucifer_model * model, struct lucifer_piece * p) {
    return guard_object("lucifer_token_piece", model, [&] {
        require_size(p);
        require_vocab(*model);
        require_token(*model, p->token);
        if (p->cap < 0 || (p->cap > 0 && p->buf == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "buf is null or its capacity %d is negative", p->cap);
        }
        const int32_t n = llama_token_to_piece(model->vocab, p->token, p->buf, p->cap, 0, p->special != 0);
        p->len          = n < 0 ? -n : n;
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
