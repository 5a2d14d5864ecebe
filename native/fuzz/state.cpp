// The state of a sequence as llama.cpp writes it. What the library adds behind it, checksum and fingerprint, is made right here: anybody
// can. A state that is taken goes on, and leaves nothing behind when the memory is cleared.

#include "frame.h"

#include <cstdio>
#include <cstring>

constexpr size_t trailer_bytes = 32;
constexpr int    n_cells       = 3;

static void append(std::string & file, uint64_t number) { file.append((const char *) &number, sizeof(number)); }

// As state.cpp does it.
static uint64_t checksum(const std::string & bytes) {
    uint64_t sum = 0xcbf29ce484222325ULL;
    const auto mix = [&](uint64_t word) { sum = (sum ^ word ^ (sum >> 32)) * 0x100000001b3ULL; };
    size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        uint64_t word;
        memcpy(&word, bytes.data() + at, 8);
        mix(word);
    }
    for (; at < bytes.size(); at++) {
        mix((unsigned char) bytes[at]);
    }
    return sum;
}

static std::string read(const char * path) {
    std::string bytes;
    FILE *      file = fopen(path, "rb");
    must(file != nullptr, path);
    char block[4096];
    for (size_t n; (n = fread(block, 1, sizeof(block), file)) > 0;) {
        bytes.append(block, n);
    }
    fclose(file);
    return bytes;
}

static std::vector<float> logits_behind(lucifer_context * context, int32_t p0) {
    auto info = sized<lucifer_model_info>();
    must(lucifer_model_describe(sound_model(LUCIFER_FUZZ_TINY), &info) == LUCIFER_STATUS_OK, "the model cannot be described");
    std::vector<float> logits((size_t) info.n_vocab);
    must(decode(context, p0, n_cells) == LUCIFER_STATUS_OK, "the context does not compute");
    must(lucifer_context_logits(context, -1, logits.data(), info.n_vocab) == LUCIFER_STATUS_OK, "no logits");
    return logits;
}

struct fixed {
    lucifer_context *  context = new_context(sound_model(LUCIFER_FUZZ_TINY));
    std::vector<float> logits  = logits_behind(context, 0); // of an empty memory
    std::string        trailer;                             // of the model's states

    fixed() {
        const int32_t tokens[n_cells] = {1, 2, 3};
        const char *  path            = file_of("");
        must(lucifer_state_save(context, 0, path, tokens, n_cells) == LUCIFER_STATUS_OK, "a state cannot be saved");
        trailer = read(path);
        trailer = trailer.substr(trailer.size() - trailer_bytes, 16); // magic and fingerprint
    }
};

void attempt(const std::string & input) {
    static fixed its;
    std::string  file = input + its.trailer;
    append(file, input.size());
    append(file, checksum(input));

    int32_t tokens[64];
    int32_t n = 0;
    if (accepted(lucifer_state_load(its.context, 0, file_of(file), tokens, 64, &n)) && n < 60) {
        accepted(decode(its.context, n, 1));
    }
    must(lucifer_memory_clear(its.context) == LUCIFER_STATUS_OK, "the memory cannot be cleared");
    must(logits_behind(its.context, 0) == its.logits, "the context computes otherwise than before");
    must(lucifer_memory_clear(its.context) == LUCIFER_STATUS_OK, "the memory cannot be cleared");
}
