// Saves and loads the state of one sequence. The file is llama.cpp's own, followed by 32 bytes of ours that tell, before
// llama.cpp reads it, whether the file is whole and of this model:
//
//   llama.cpp's sequence state: magic "ggsq", version, number of tokens, tokens, cells
//   "LUCIFER1"                  8 bytes
//   fingerprint of the model    uint64: its metadata and sizes, not its weights
//   length of llama.cpp's part  uint64
//   checksum of llama.cpp's part uint64
//
// A file without them is refused: llama.cpp believes the number of cells, and allocates for it until the process is killed.

#include "objects.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

namespace lucifer {

namespace {

constexpr char trailer_magic[8] = {'L', 'U', 'C', 'I', 'F', 'E', 'R', '1'};

struct trailer {
    char     magic[8];
    uint64_t fingerprint;
    uint64_t length;
    uint64_t checksum;
};

// FNV-1a over 8 bytes at a time: not against malice, but quick.
class checksum {
public:
    void add(const void * data, size_t size) {
        const char * p = (const char *) data;
        for (; size >= 8; p += 8, size -= 8) {
            uint64_t word;
            memcpy(&word, p, 8);
            mix(word);
        }
        for (; size > 0; p++, size--) {
            mix((unsigned char) *p);
        }
    }
    void add(const std::string & text) { add(text.data(), text.size()); }
    uint64_t value() const { return value_; }

private:
    void mix(uint64_t word) { value_ = (value_ ^ word ^ (value_ >> 32)) * 0x100000001b3ULL; }
    uint64_t value_ = 0xcbf29ce484222325ULL;
};

uint64_t fingerprint(const llama_model * model) {
    checksum sum;
    const uint64_t numbers[] = {llama_model_n_params(model), llama_model_size(model), (uint64_t) llama_model_n_layer(model),
                                (uint64_t) llama_vocab_n_tokens(llama_model_get_vocab(model))};
    sum.add(numbers, sizeof(numbers));
    for (int32_t i = 0; i < llama_model_meta_count(model); i++) {
        char key[256];
        if (llama_model_meta_key_by_index(model, i, key, sizeof(key)) >= 0) {
            sum.add(key, strlen(key));
            sum.add(meta_value(model, key));
        }
    }
    return sum.value();
}

struct file_closer {
    void operator()(FILE * file) const { fclose(file); }
};
using file_ptr = std::unique_ptr<FILE, file_closer>;

[[noreturn]] void bad_file(const char * path, const char * why) {
    fail(LUCIFER_STATUS_INVALID_FILE, "%s: %s", path, why);
}

file_ptr open_file(const char * path, const char * mode) {
    file_ptr file(fopen(path, mode));
    if (file == nullptr) {
        bad_file(path, strerror(errno));
    }
    return file;
}

uint64_t file_size(FILE * file) {
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    fseek(file, 0, SEEK_SET);
    return size < 0 ? 0 : (uint64_t) size;
}

uint64_t checksum_of(FILE * file, uint64_t length) {
    std::vector<char> block(1 << 20);
    checksum          sum;
    while (length > 0) {
        const size_t n = fread(block.data(), 1, (size_t) std::min<uint64_t>(block.size(), length), file);
        if (n == 0) {
            break;
        }
        sum.add(block.data(), n);
        length -= n;
    }
    return sum.value();
}

void append_trailer(const char * path, const lucifer_context & context) {
    file_ptr file = open_file(path, "r+b");
    trailer  end;
    memcpy(end.magic, trailer_magic, sizeof(end.magic));
    end.fingerprint = fingerprint(context.model->model.get());
    end.length      = file_size(file.get());
    end.checksum    = checksum_of(file.get(), end.length);
    fseek(file.get(), 0, SEEK_END);
    if (fwrite(&end, sizeof(end), 1, file.get()) != 1 || fflush(file.get()) != 0) {
        fail(LUCIFER_STATUS_FAILED, "%s: %s", path, strerror(errno));
    }
}

// The file's number of tokens, after everything that can be known before llama.cpp reads it.
uint64_t check_file(const char * path, const lucifer_context & context) {
    file_ptr       file = open_file(path, "rb");
    const uint64_t size = file_size(file.get());
    uint32_t       head[3];
    if (size < sizeof(head) || fread(head, sizeof(head), 1, file.get()) != 1) {
        bad_file(path, "shorter than the head of a sequence state");
    }
    if (head[0] != LLAMA_STATE_SEQ_MAGIC || head[1] != LLAMA_STATE_SEQ_VERSION) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: not a sequence state of this version: magic %08x, version %u, expected %08x, %u", path, head[0],
             head[1], LLAMA_STATE_SEQ_MAGIC, (unsigned) LLAMA_STATE_SEQ_VERSION);
    }
    if (head[2] > (size - sizeof(head)) / sizeof(llama_token)) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: it says it holds %u tokens, but has %llu bytes", path, head[2], (unsigned long long) size);
    }
    trailer end;
    if (size < sizeof(head) + sizeof(end) || fseek(file.get(), -(long) sizeof(end), SEEK_END) != 0 ||
        fread(&end, sizeof(end), 1, file.get()) != 1 || memcmp(end.magic, trailer_magic, sizeof(end.magic)) != 0) {
        bad_file(path, "the file is truncated, or was not saved by this library");
    }
    if (end.fingerprint != fingerprint(context.model->model.get())) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: the state was saved by another model than %s", path, context.model->path.c_str());
    }
    fseek(file.get(), 0, SEEK_SET);
    if (end.length != size - sizeof(end) || end.checksum != checksum_of(file.get(), end.length)) {
        bad_file(path, "the file is damaged: its checksum differs");
    }
    return head[2];
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_state_save(struct lucifer_context * context, int32_t seq_id, const char * path, const int32_t * tokens, int32_t n_tokens) {
    return guard_object("lucifer_state_save", context, [&] {
        require(path, "path");
        require_seq(*context, seq_id);
        if (n_tokens < 0 || (n_tokens > 0 && tokens == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or their number %d is negative", n_tokens);
        }
        if (llama_state_seq_save_file(context->context.get(), path, seq_id, tokens, (size_t) n_tokens) == 0) {
            remove(path);
            fail(LUCIFER_STATUS_FAILED, "%s: the state could not be written: %s", path, call_last_error_line().c_str());
        }
        append_trailer(path, *context);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_state_load(struct lucifer_context * context, int32_t seq_id, const char * path, int32_t * tokens, int32_t cap,
                           int32_t * n_tokens) {
    return guard_object("lucifer_state_load", context, [&] {
        require(path, "path");
        require(n_tokens, "n_tokens");
        require_seq(*context, seq_id);
        if (cap < 0 || (cap > 0 && tokens == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or its capacity %d is negative", cap);
        }
        const uint64_t n = check_file(path, *context);
        if (n > (uint64_t) cap) {
            *n_tokens = n > INT32_MAX ? INT32_MAX : (int32_t) n;
            return (int32_t) LUCIFER_STATUS_BUFFER_TOO_SMALL;
        }
        size_t  count  = 0;
        size_t  read   = 0;
        int32_t unused = 0; // llama.cpp takes null for "tell the number of tokens only"
        std::string why;
        try {
            read = llama_state_seq_load_file(context->context.get(), path, seq_id, tokens != nullptr ? tokens : &unused, (size_t) cap, &count);
            why  = call_last_error_line();
        } catch (const abort_caught & e) {
            why = e.message; // reading a state allocates and computes nothing: clearing the sequence mends it
        }
        if (read == 0) {
            llama_memory_seq_rm(llama_get_memory(context->context.get()), seq_id, -1, -1);
            fail(LUCIFER_STATUS_INVALID_FILE, "%s does not fit this model and context: %s", path, why.c_str());
        }
        *n_tokens = (int32_t) count;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
