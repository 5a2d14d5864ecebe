#include "frame.h"

#include <cstdio>
#include <cstdlib>
#include <map>

#include <sys/mman.h>
#include <unistd.h>

void must(bool condition, const char * what) {
    if (!condition) {
        fprintf(stderr, "native/fuzz: %s\n", what);
        abort();
    }
}

static std::string last_error() {
    std::string text(1 << 16, '\0');
    int64_t     len = 0;
    must(lucifer_last_error(&text[0], (int64_t) text.size(), &len) == LUCIFER_STATUS_OK, "an error's message is longer than 64 KiB");
    text.resize((size_t) len);
    return text;
}

static bool refused(int32_t status, bool by_assertion) {
    const std::string message = last_error();
    const bool        caught  = status == LUCIFER_STATUS_EXCEPTION || status == LUCIFER_STATUS_ABORTED || status == LUCIFER_STATUS_POISONED;
    if (message.empty() || (caught && !by_assertion)) {
        fprintf(stderr, "native/fuzz: status %d: %s\n", status, message.c_str());
        abort();
    }
    return false;
}

bool accepted(int32_t status) { return status == LUCIFER_STATUS_OK || refused(status, false); }

bool accepted_unchecked(int32_t status) { return status == LUCIFER_STATUS_OK || refused(status, true); }

// Length of the character that begins here, 0 when none does.
static size_t length_at(const std::string & text, size_t at) {
    const auto     byte   = [&](size_t i) { return i < text.size() ? (uint32_t) (unsigned char) text[i] : 0; };
    const uint32_t first  = byte(at);
    const size_t   length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    uint32_t       point  = length < 2 ? first : first & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (byte(at + i) >> 6 != 2) {
            return 0;
        }
        point = point << 6 | (byte(at + i) & 0x3F);
    }
    static constexpr uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return length == 0 || point < least[length] || point > 0x10FFFF || point >> 11 == 27 ? 0 : length;
}

std::string as_utf8(std::string text) {
    for (size_t i = 0; i < text.size();) {
        const size_t length = length_at(text, i);
        if (length == 0) {
            text[i] = '?';
        }
        i += length == 0 ? 1 : length;
    }
    return text;
}

// Smaller limits than a user's: many inputs go to them.
static bool start() { return lucifer_init(LUCIFER_FUZZ_BACKENDS) == LUCIFER_STATUS_OK && lucifer_limits_set(64 << 20, 1000) == LUCIFER_STATUS_OK; }

lucifer_model * load_model(const std::string & path) {
    static const bool ready = start();
    must(ready, "the library does not start");
    const char * name   = path.c_str();
    auto         params = sized<lucifer_model_params>();
    must(lucifer_model_params_init(&params) == LUCIFER_STATUS_OK, "the parameters of a model have no defaults");
    params.paths        = &name;
    params.n_paths      = 1;
    params.n_gpu_layers = 0;
    params.vocab_only   = path.find("ggml-vocab-") != std::string::npos;
    lucifer_model * model = nullptr;
    return accepted_unchecked(lucifer_model_load(&params, &model)) ? model : nullptr;
}

lucifer_model * sound_model(const std::string & path) {
    static std::map<std::string, lucifer_model *> models;
    lucifer_model *&                              model = models[path];
    if (model == nullptr) {
        model = load_model(path);
        must(model != nullptr, path.c_str());
    }
    return model;
}

lucifer_context * new_context(lucifer_model * model) {
    auto params = sized<lucifer_context_params>();
    must(lucifer_context_params_init(&params) == LUCIFER_STATUS_OK, "the parameters of a context have no defaults");
    params.model           = model;
    params.n_ctx           = 64;
    params.n_batch         = 64;
    params.n_ubatch        = 64;
    params.n_threads       = 1;
    params.n_threads_batch = 1;
    lucifer_context * context = nullptr;
    return accepted_unchecked(lucifer_context_init(&params, &context)) ? context : nullptr;
}

int32_t decode(lucifer_context * context, int32_t p0, int32_t n_tokens) {
    std::vector<int32_t> tokens, positions, sequences((size_t) n_tokens, 0);
    std::vector<int8_t>  outputs((size_t) n_tokens, 0);
    for (int32_t i = 0; i < n_tokens; i++) {
        tokens.push_back(1 + p0 + i);
        positions.push_back(p0 + i);
    }
    outputs.back()  = 1;
    auto batch      = sized<lucifer_batch>();
    batch.n_tokens  = n_tokens;
    batch.tokens    = tokens.data();
    batch.pos       = positions.data();
    batch.seq_ids   = sequences.data();
    batch.outputs   = outputs.data();
    return lucifer_context_decode(context, &batch);
}

const char * file_of(const std::string & input) {
    static const int         file = memfd_create("input", 0);
    static const std::string path = "/proc/self/fd/" + std::to_string(file);
    const bool written = ftruncate(file, 0) == 0 && pwrite(file, input.data(), input.size(), 0) == (ssize_t) input.size();
    must(written, "the input cannot be written");
    return path.c_str();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t * data, size_t size) {
    attempt(std::string((const char *) data, size));
    return 0;
}
