// What rows of logits say about the tokens that follow. Source, expression by expression so that digits are equal: the three log_softmax of
// llama.cpp v0.5.0, tools/perplexity/perplexity.cpp.

#include "guard.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace lucifer {

namespace {

// Behind scale and minimum, which are floats.
constexpr int64_t packed_head = 4;
// Log-probabilities further below the highest are not told apart, or not looked at.
constexpr float packed_range = 16.0f;

int64_t packed_row(int64_t n_vocab) {
    return packed_head + 2 * ((n_vocab + 1) / 2);
}

void require_rows(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels, const void * out) {
    require(logits, "logits");
    require(labels, "labels");
    require(out, "the output");
    if (n_rows < 0 || n_vocab < 1) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%d rows of %d logits", n_rows, n_vocab);
    }
    for (int32_t i = 0; i < n_rows; i++) {
        if (labels[i] < 0 || labels[i] >= n_vocab) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "row %d was to predict token %d, the vocabulary has %d", i, labels[i], n_vocab);
        }
    }
}

void require_finite(int32_t row, double score) {
    if (!std::isfinite(score)) {
        fail(LUCIFER_STATUS_FAILED, "the logits of row %d are not finite: the model computes with numbers that are none", row);
    }
}

double sum_exp(const float * logits, int32_t n_vocab, float max_logit) {
    double sum = 0.0;
    for (int32_t i = 0; i < n_vocab; i++) {
        sum += expf(logits[i] - max_logit);
    }
    return sum;
}

double score_row(const float * logits, int32_t n_vocab, int32_t label) {
    const float max_logit = *std::max_element(logits, logits + n_vocab);
    return -(logits[label] - max_logit - std::log(sum_exp(logits, n_vocab, max_logit)));
}

// Rounds to the nearest integer, halves to even, for values below 2^22.
int32_t nearest_int(float value) {
    const float shifted = value + 12582912.f;
    int32_t     bits;
    memcpy(&bits, &shifted, sizeof(bits));
    return (bits & 0x007fffff) - 0x00400000;
}

double pack_row(const float * logits, int32_t n_vocab, int32_t label, uint16_t * packed) {
    const float max_logit    = *std::max_element(logits, logits + n_vocab);
    const float min_logit    = std::max(*std::min_element(logits, logits + n_vocab), max_logit - packed_range);
    const float log_sum_exp  = (float) std::log(sum_exp(logits, n_vocab, max_logit));
    const float head[2]      = {(max_logit - min_logit) / 65535.f, min_logit - max_logit - log_sum_exp}; // scale, least log-probability
    memset(packed, 0, (size_t) packed_row(n_vocab) * sizeof(uint16_t));
    memcpy(packed, head, sizeof(head));
    if (head[0] != 0.0f) {
        const float inv_scale = 1 / head[0];
        for (int32_t i = 0; i < n_vocab; i++) {
            packed[packed_head + i] = logits[i] > min_logit ? (uint16_t) nearest_int(inv_scale * (logits[i] - min_logit)) : 0;
        }
    }
    return max_logit + log_sum_exp - logits[label];
}

void compare_row(const float * logits, int32_t n_vocab, int32_t label, const uint16_t * packed, lucifer_divergence & out) {
    const float * top         = std::max_element(logits, logits + n_vocab);
    const float   log_sum_exp = (float) std::log(sum_exp(logits, n_vocab, *top));
    const float   normalizer  = *top + log_sum_exp;
    float         head[2];
    memcpy(head, packed, sizeof(head));
    packed += packed_head;
    auto base = [&](int32_t i) { return head[0] * packed[i] + head[1]; };

    out.nll      = *top + log_sum_exp - logits[label];
    out.nll_base = -base(label);
    out.kld      = 0;
    int32_t base_top = 0;
    float   base_max = base(0);
    for (int32_t i = 0; i < n_vocab; i++) {
        const float log_p = base(i);
        if (log_p > base_max) {
            base_max = log_p;
            base_top = i;
        }
        if (log_p > -packed_range) {
            out.kld += expf(log_p) * (log_p - logits[i] + normalizer);
        }
    }
    out.same_top = top - logits == base_top;
    out.p_diff   = expf(-out.nll) - expf(-out.nll_base);
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_score(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels, double * nll) {
    return guard("lucifer_score", [&] {
        require_rows(logits, n_rows, n_vocab, labels, nll);
        for (int32_t i = 0; i < n_rows; i++) {
            nll[i] = score_row(logits + (int64_t) i * n_vocab, n_vocab, labels[i]);
            require_finite(i, nll[i]);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_score_pack(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels, uint16_t * packed, double * nll) {
    return guard("lucifer_score_pack", [&] {
        require_rows(logits, n_rows, n_vocab, labels, nll);
        require(packed, "packed");
        for (int32_t i = 0; i < n_rows; i++) {
            nll[i] = pack_row(logits + (int64_t) i * n_vocab, n_vocab, labels[i], packed + i * packed_row(n_vocab));
            require_finite(i, nll[i]);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_score_compare(const float * logits, int32_t n_rows, int32_t n_vocab, const int32_t * labels, const uint16_t * packed,
                              struct lucifer_divergence * out) {
    return guard("lucifer_score_compare", [&] {
        require_rows(logits, n_rows, n_vocab, labels, out);
        require(packed, "packed");
        for (int32_t i = 0; i < n_rows; i++) {
            compare_row(logits + (int64_t) i * n_vocab, n_vocab, labels[i], packed + i * packed_row(n_vocab), out[i]);
            require_finite(i, out[i].kld + out[i].nll);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
