// Scores of logits against plain arithmetic in doubles.

#include "check.h"

#include <cmath>
#include <cstring>
#include <vector>

static constexpr int32_t n_rows  = 5;
static constexpr int32_t n_vocab = 33; // odd: a packed row is padded
static constexpr int64_t packed_row = 4 + 34;

static std::vector<float> logits(uint32_t seed) {
    std::vector<float> values((size_t) n_rows * n_vocab);
    for (float & value : values) {
        seed  = seed * 1664525u + 1013904223u;
        value = (float) (seed >> 8) / (float) (1 << 24) * 12.0f - 6.0f;
    }
    return values;
}

static double log_p(const std::vector<float> & values, int32_t row, int32_t token) {
    double sum = 0;
    for (int32_t i = 0; i < n_vocab; i++) {
        sum += exp((double) values[(size_t) (row * n_vocab + i)]);
    }
    return values[(size_t) (row * n_vocab + token)] - log(sum);
}

static bool near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance;
}

static const int32_t labels[n_rows] = {0, 32, 7, 7, 1};

static void scores_are_log_probabilities() {
    const auto values = logits(1);
    double     nll[n_rows];
    CHECK_OK(lucifer_score(values.data(), n_rows, n_vocab, labels, nll));
    for (int32_t row = 0; row < n_rows; row++) {
        CHECK(near(nll[row], -log_p(values, row, labels[row]), 1e-5));
    }
}

static void packed_rows_hold_all_log_probabilities() {
    const auto            values = logits(2);
    std::vector<uint16_t> packed(n_rows * packed_row, 0xffff);
    double                nll[n_rows];
    CHECK_OK(lucifer_score_pack(values.data(), n_rows, n_vocab, labels, packed.data(), nll));
    for (int32_t row = 0; row < n_rows; row++) {
        const uint16_t * p = packed.data() + row * packed_row;
        float            head[2];
        memcpy(head, p, sizeof(head));
        for (int32_t i = 0; i < n_vocab; i++) {
            CHECK(near(head[0] * p[4 + i] + head[1], log_p(values, row, i), 2e-4)); // 16 bits over 12 nats
        }
        CHECK(p[4 + n_vocab] == 0);
        CHECK(near(nll[row], -log_p(values, row, labels[row]), 1e-5));
    }
}

static void divergence_is_that_of_the_definition() {
    const auto            base = logits(3), values = logits(4);
    std::vector<uint16_t> packed(n_rows * packed_row);
    double                nll[n_rows];
    CHECK_OK(lucifer_score_pack(base.data(), n_rows, n_vocab, labels, packed.data(), nll));
    lucifer_divergence found[n_rows];
    CHECK_OK(lucifer_score_compare(values.data(), n_rows, n_vocab, labels, packed.data(), found));
    for (int32_t row = 0; row < n_rows; row++) {
        double  kld = 0;
        int32_t top = 0, top_base = 0;
        for (int32_t i = 0; i < n_vocab; i++) {
            kld += exp(log_p(base, row, i)) * (log_p(base, row, i) - log_p(values, row, i));
            top      = log_p(values, row, i) > log_p(values, row, top) ? i : top;
            top_base = log_p(base, row, i) > log_p(base, row, top_base) ? i : top_base;
        }
        const double p_diff = exp(log_p(values, row, labels[row])) - exp(log_p(base, row, labels[row]));
        CHECK(near(found[row].kld, kld, 1e-3) && near(found[row].p_diff, p_diff, 1e-3));
        CHECK(near(found[row].nll, -log_p(values, row, labels[row]), 1e-4) && near(found[row].nll_base, nll[row], 2e-4));
        CHECK(found[row].same_top == (top == top_base ? 1 : 0));
    }
    CHECK_OK(lucifer_score_compare(base.data(), n_rows, n_vocab, labels, packed.data(), found));
    CHECK(near(found[0].kld, 0, 1e-3) && found[0].same_top == 1);
}

static void equal_logits_are_packed_without_a_scale() {
    const std::vector<float> flat((size_t) n_vocab, 3.0f);
    uint16_t                 packed[packed_row];
    double                   nll = 0;
    CHECK_OK(lucifer_score_pack(flat.data(), 1, n_vocab, labels, packed, &nll));
    CHECK(near(nll, log((double) n_vocab), 1e-5));
}

static void bad_calls_are_refused() {
    auto   values = logits(5);
    double nll[n_rows];
    const int32_t out_of_range[1] = {n_vocab};
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "token 33", lucifer_score(values.data(), 1, n_vocab, out_of_range, nll));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "logits", lucifer_score(nullptr, 1, n_vocab, labels, nll));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "rows", lucifer_score(values.data(), -1, n_vocab, labels, nll));
    values[3] = NAN;
    CHECK_FAILS(LUCIFER_STATUS_FAILED, "not finite", lucifer_score(values.data(), 1, n_vocab, labels, nll));
}

int main() {
    scores_are_log_probabilities();
    packed_rows_hold_all_log_probabilities();
    divergence_is_that_of_the_definition();
    equal_logits_are_packed_without_a_scale();
    bad_calls_are_refused();
    return 0;
}
