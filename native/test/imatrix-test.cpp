// Collects importance matrices, and lends rows of logits: imatrix-test FILE.gguf

#include "check.h"

#include <cmath>
#include <cstring>
#include <vector>

static const char * g_path = nullptr;

struct owner {
    lucifer_model *   model   = nullptr;
    lucifer_context * context = nullptr;

    explicit owner(int32_t imatrix) {
        auto model_params = sized<lucifer_model_params>();
        CHECK_OK(lucifer_model_params_init(&model_params));
        model_params.paths   = &g_path;
        model_params.n_paths = 1;
        CHECK_OK(lucifer_model_load(&model_params, &model));
        auto params = sized<lucifer_context_params>();
        CHECK_OK(lucifer_context_params_init(&params));
        params.model     = model;
        params.n_ctx     = 64;
        params.n_batch   = 64;
        params.n_threads = params.n_threads_batch = 1;
        params.imatrix   = imatrix;
        CHECK_OK(lucifer_context_init(&params, &context));
    }
    ~owner() {
        lucifer_context_free(context);
        lucifer_model_free(model);
    }
    owner(const owner &)             = delete;
    owner & operator=(const owner &) = delete;

    // n different tokens from position 0 on, of which those from first on have outputs
    int32_t decode(int32_t n, int32_t first) {
        std::vector<int32_t> tokens, positions, sequences((size_t) n, 0);
        std::vector<int8_t>  outputs;
        for (int32_t i = 0; i < n; i++) {
            tokens.push_back(300 + i);
            positions.push_back(i);
            outputs.push_back(i >= first);
        }
        CHECK_OK(lucifer_memory_clear(context));
        auto batch     = sized<lucifer_batch>();
        batch.n_tokens = n;
        batch.tokens   = tokens.data();
        batch.pos      = positions.data();
        batch.seq_ids  = sequences.data();
        batch.outputs  = outputs.data();
        return lucifer_context_decode(context, &batch);
    }

    int32_t count() {
        int32_t n = 0;
        CHECK_OK(lucifer_imatrix_count(context, &n));
        return n;
    }

    std::string name(int32_t index, int64_t & n_sums, int64_t & n_counts) {
        char    text[128];
        int64_t len = 0;
        CHECK_OK(lucifer_imatrix_entry(context, index, text, sizeof(text), &len, &n_sums, &n_counts));
        return std::string(text, (size_t) len);
    }
};

static void collects_blocks_and_the_output() {
    owner blocks(LUCIFER_IMATRIX_BLOCKS), all(LUCIFER_IMATRIX_OUTPUT);
    CHECK(blocks.count() == 0);
    CHECK_OK(blocks.decode(32, 0));
    CHECK_OK(all.decode(32, 0));
    CHECK(blocks.count() > 0 && all.count() >= blocks.count()); // a model may share its output with its embeddings
    int64_t n_sums = 0, n_counts = 0;
    for (int32_t i = 0; i < blocks.count(); i++) {
        CHECK(blocks.name(i, n_sums, n_counts).compare(0, 4, "blk.") == 0);
        CHECK(n_counts == 1 && n_sums > 0);
        std::vector<float> sums((size_t) n_sums);
        int64_t            count = 0;
        CHECK_OK(lucifer_imatrix_read(blocks.context, i, sums.data(), n_sums, &count, 1));
        CHECK(count == 32);
        for (float sum : sums) {
            CHECK(std::isfinite(sum) && sum >= 0);
        }
    }
}

static void single_steps_are_not_collected() {
    owner o(LUCIFER_IMATRIX_BLOCKS);
    CHECK_OK(o.decode(15, 0));
    CHECK(o.count() == 0);
}

static void goes_on_from_what_was_put_there() {
    owner o(LUCIFER_IMATRIX_BLOCKS), once(LUCIFER_IMATRIX_BLOCKS);
    CHECK_OK(once.decode(32, 0));
    int64_t            n_sums = 0, n_counts = 0, count = 0;
    const std::string  name = once.name(0, n_sums, n_counts);
    std::vector<float> sums((size_t) n_sums), twice((size_t) n_sums);
    CHECK_OK(lucifer_imatrix_read(once.context, 0, sums.data(), n_sums, &count, 1));
    CHECK_OK(lucifer_imatrix_put(o.context, name.c_str(), sums.data(), n_sums, &count, 1));
    CHECK_OK(o.decode(32, 0));
    CHECK_OK(lucifer_imatrix_read(o.context, 0, twice.data(), n_sums, &count, 1));
    CHECK(count == 64);
    for (size_t i = 0; i < sums.size(); i++) {
        CHECK(fabs(twice[i] - 2 * sums[i]) <= 1e-5 * twice[i]);
    }
}

static void matrix_of_another_model_is_refused() {
    owner       o(LUCIFER_IMATRIX_BLOCKS);
    const float sums[2] = {1, 2};
    int64_t     count   = 32;
    CHECK_OK(lucifer_imatrix_put(o.context, "blk.0.ffn_up.weight", sums, 2, &count, 1));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "blk.0.ffn_up.weight", o.decode(32, 0));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "blk.0.ffn_up.weight", o.decode(32, 0)); // and stays so
}

static void bad_calls_are_refused() {
    owner       none(LUCIFER_IMATRIX_NONE), o(LUCIFER_IMATRIX_BLOCKS);
    int32_t     n     = 0;
    const float sum   = 1;
    int64_t     count = 1, length = 0;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "without imatrix", lucifer_imatrix_count(none.context, &n));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "entry 0 of 0", lucifer_imatrix_entry(o.context, 0, nullptr, 0, &length, &count, &count));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "0 sums", lucifer_imatrix_put(o.context, "x", &sum, 0, &count, 1));
}

static void rows_are_those_of_their_tokens() {
    owner o(LUCIFER_IMATRIX_NONE);
    CHECK_OK(o.decode(20, 10));
    const float * rows = nullptr;
    CHECK_OK(lucifer_context_logits_rows(o.context, 10, 10, &rows));
    auto info = sized<lucifer_model_info>();
    CHECK_OK(lucifer_model_describe(o.model, &info));
    std::vector<float> one((size_t) info.n_vocab);
    for (int32_t i = 0; i < 10; i++) {
        CHECK_OK(lucifer_context_logits(o.context, 10 + i, one.data(), info.n_vocab));
        CHECK(memcmp(one.data(), rows + (int64_t) i * info.n_vocab, one.size() * sizeof(float)) == 0);
    }
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "no output", lucifer_context_logits_rows(o.context, 9, 2, &rows));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "no output", lucifer_context_logits_rows(o.context, 15, 10, &rows));
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "rows", lucifer_context_logits_rows(o.context, 15, 0, &rows));
}

int main(int argc, char ** argv) {
    CHECK(argc == 2);
    g_path = argv[1];
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
    collects_blocks_and_the_output();
    single_steps_are_not_collected();
    goes_on_from_what_was_put_there();
    matrix_of_another_model_is_refused();
    bad_calls_are_refused();
    rows_are_those_of_their_tokens();
    return 0;
}
