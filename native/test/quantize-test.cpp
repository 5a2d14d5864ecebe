// Plans, quantizes, cancels and refuses: quantize-test FILE.gguf (not quantized)

#include "check.h"

#include <cstring>
#include <vector>

static const char * g_path = nullptr;

static std::string temp_path(const char * name) {
    const char * dir = getenv("TMPDIR");
    return std::string(dir != nullptr ? dir : "/tmp") + "/lucifer-" + std::to_string((long) (intptr_t) &g_path & 0xffffff) + "-" + name;
}

static bool exists(const std::string & path) {
    FILE * file = fopen(path.c_str(), "rb");
    if (file != nullptr) {
        fclose(file);
    }
    return file != nullptr;
}

static lucifer_quantize_params params_for(const std::string & output, int32_t ftype) {
    auto params = sized<lucifer_quantize_params>();
    CHECK_OK(lucifer_quantize_params_init(&params));
    params.input     = g_path;
    params.output    = output.c_str();
    params.ftype     = ftype;
    params.n_threads = 2;
    return params;
}

static void plans_without_writing() {
    const std::string out    = temp_path("plan.gguf");
    auto              params = params_for(out, 15); // Q4_K_M
    params.dry_run           = 1;
    auto report              = sized<lucifer_quantize_report>();
    lucifer_quantize_plan * plan = nullptr;
    CHECK_OK(lucifer_quantize(&params, &report, &plan));
    CHECK(!exists(out));
    CHECK(report.n_tensors > 0 && report.n_converted > 0 && report.bytes_after < report.bytes_before && !report.needs_imatrix);
    int64_t bytes = 0;
    auto    t     = sized<lucifer_planned_tensor>();
    for (int32_t i = 0; i < report.n_tensors; i++) {
        CHECK_OK(lucifer_quantize_plan_tensor(plan, i, &t));
        CHECK(strlen(t.name) > 0 && t.ne[0] > 0);
        bytes += t.bytes_after;
    }
    CHECK(bytes == report.bytes_after);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "tensor", lucifer_quantize_plan_tensor(plan, report.n_tensors, &t));
    CHECK_OK(lucifer_quantize_plan_free(plan));
    params.ftype = 20; // IQ2_XS
    CHECK_OK(lucifer_quantize(&params, &report, nullptr));
    CHECK(report.needs_imatrix);
}

static void quantizes_with_progress() {
    const std::string out      = temp_path("q8.gguf");
    auto              params   = params_for(out, 7); // Q8_0
    int64_t           cells[4] = {-1, -1, -1, -1};
    params.progress            = cells;
    auto report                = sized<lucifer_quantize_report>();
    CHECK_OK(lucifer_quantize(&params, &report, nullptr));
    CHECK(cells[0] == report.n_tensors && cells[1] == report.n_tensors && cells[2] == report.bytes_before && cells[3] == cells[2]);
    CHECK(exists(out));

    const std::string again = temp_path("again.gguf");
    params                  = params_for(again, 15);
    params.input            = out.c_str();
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "quantized already", lucifer_quantize(&params, &report, nullptr));
    CHECK(!exists(again));
    params.allow_requantize = 1;
    CHECK_OK(lucifer_quantize(&params, &report, nullptr));
    CHECK(exists(again) && report.n_requantized > 0);
    remove(out.c_str());
    remove(again.c_str());
}

static void cancelling_removes_the_output() {
    const std::string out    = temp_path("cancel.gguf");
    auto              params = params_for(out, 15);
    const int32_t     cancel = 1;
    params.cancel            = &cancel;
    auto report              = sized<lucifer_quantize_report>();
    CHECK_FAILS(LUCIFER_STATUS_CANCELLED, "cancelled", lucifer_quantize(&params, &report, nullptr));
    CHECK(!exists(out));
}

static void refuses_what_cannot_be() {
    const std::string out    = temp_path("refused.gguf");
    auto              report = sized<lucifer_quantize_report>();
    auto              params = params_for(out, 20);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "needs an importance matrix: none is given", lucifer_quantize(&params, &report, nullptr));
    params = params_for(g_path, 7);
    params.output = g_path;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "overwrite the input", lucifer_quantize(&params, &report, nullptr));
    params = params_for(out, 4);
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "invalid output file type", lucifer_quantize(&params, &report, nullptr));
    params       = params_for(out, 7);
    params.input = "/does/not/exist.gguf";
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "no such file", lucifer_quantize(&params, &report, nullptr));
    params                    = params_for(out, 7);
    params.output_tensor_type = 15; // Q8_K
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "not one that weights can have", lucifer_quantize(&params, &report, nullptr));
    params                      = params_for(out, 7);
    params.token_embedding_type = 16; // IQ2_XXS: ggml asserts on a worker thread
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "needs an importance matrix", lucifer_quantize(&params, &report, nullptr));
    params         = params_for(out, 7);
    params.imatrix = g_path;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "importance matrix", lucifer_quantize(&params, &report, nullptr));
    const lucifer_tensor_type pattern = {"(", 8, 0};
    params                = params_for(out, 7);
    params.tensor_types   = &pattern;
    params.n_tensor_types = 1;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_ARGUMENT, "regular expression", lucifer_quantize(&params, &report, nullptr));
    params = params_for("/does/not/exist/out.gguf", 7);
    params.output = "/does/not/exist/out.gguf";
    CHECK_FAILS(LUCIFER_STATUS_FAILED, "cannot be written", lucifer_quantize(&params, &report, nullptr));
    CHECK(!exists(out));
}

// Counts of the older format are compared with what the file has before memory is taken for them.
static void refuses_an_importance_matrix_that_ends_early() {
    const std::string path = temp_path("short.dat");
    FILE *            file = fopen(path.c_str(), "wb");
    CHECK(file != nullptr);
    const int32_t head[] = {1, 1};          // entries, length of the name
    const int32_t tail[] = {1, 0x7fffffff}; // chunks, values
    CHECK(fwrite(head, sizeof(head), 1, file) == 1 && fputc('a', file) == 'a' && fwrite(tail, sizeof(tail), 1, file) == 1);
    CHECK(fclose(file) == 0);
    const std::string out    = temp_path("planned.gguf");
    auto              params = params_for(out, 7);
    auto              report = sized<lucifer_quantize_report>();
    params.imatrix           = path.c_str();
    params.dry_run           = 1;
    CHECK_FAILS(LUCIFER_STATUS_INVALID_FILE, "it ends 8589934588 bytes too early", lucifer_quantize(&params, &report, nullptr));
    remove(path.c_str());
}

int main(int argc, char ** argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: quantize-test FILE.gguf\n");
        return 2;
    }
    g_path = argv[1];
    CHECK_OK(lucifer_init(LUCIFER_LIB_DIR));
    plans_without_writing();
    quantizes_with_progress();
    cancelling_removes_the_output();
    refuses_what_cannot_be();
    refuses_an_importance_matrix_that_ends_early();
    printf("ok\n");
    return 0;
}
