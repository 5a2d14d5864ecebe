// Saves and loads the state of one sequence. The file is llama.cpp's own, followed by 32 bytes of ours that tell whether the file is
// whole and of this model:
//
//   llama.cpp's sequence state: magic "ggsq", version, number of tokens, tokens, cells
//   "LUCIFER1"                  8 bytes
//   fingerprint of the model    uint64: its metadata and sizes, not its weights
//   length of llama.cpp's part  uint64
//   checksum of llama.cpp's part uint64
//
// That protects from accidents. From intent it does not: what llama.cpp would believe is read and judged before llama.cpp sees it.

#include "objects.h"
#include "state-format.h"

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

// A state file whose head and trailer have been read.
struct saved_state {
    file_ptr                 file;
    std::vector<llama_token> tokens;
    uint64_t                 begin; // of llama.cpp's memories
    trailer                  end;
};

constexpr size_t head_bytes = 3 * sizeof(uint32_t);

void read_at(const saved_state & state, const char * path, uint64_t offset, void * out, uint64_t n) {
    if (fseek(state.file.get(), (long) offset, SEEK_SET) != 0 || fread(out, 1, (size_t) n, state.file.get()) != n) {
        bad_file(path, "it cannot be read to its end");
    }
}

// The memories in a file.
state_bytes memories_of(const saved_state & state, const char * path) {
    return {state.end.length - state.begin, [&state, path](uint64_t offset, void * out, uint64_t n) {
                read_at(state, path, state.begin + offset, out, n);
            }};
}

// The memories in what llama_state_seq_get_data gives: behind a magic number and that of the sequence.
state_bytes memories_of(const std::vector<uint8_t> & state) {
    constexpr size_t own_bytes = 8;
    return {state.size() - own_bytes, [&state](uint64_t offset, void * out, uint64_t n) {
                memcpy(out, state.data() + own_bytes + offset, (size_t) n);
            }};
}

// The number of tokens that the file claims is bounded by its size.
uint32_t read_head(const saved_state & state, const char * path, uint64_t size) {
    uint32_t head[3];
    static_assert(sizeof(head) == head_bytes, "three numbers");
    if (size < sizeof(head)) {
        bad_file(path, "shorter than the head of a sequence state");
    }
    read_at(state, path, 0, head, sizeof(head));
    if (head[0] != LLAMA_STATE_SEQ_MAGIC || head[1] != LLAMA_STATE_SEQ_VERSION) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: not a sequence state of this version: magic %08x, version %u, expected %08x, %u", path, head[0],
             head[1], LLAMA_STATE_SEQ_MAGIC, (unsigned) LLAMA_STATE_SEQ_VERSION);
    }
    if (head[2] > (size - sizeof(head)) / sizeof(llama_token)) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: it says it holds %u tokens, but has %llu bytes", path, head[2], (unsigned long long) size);
    }
    return head[2];
}

void read_trailer(saved_state & state, const char * path, uint64_t size, const lucifer_context & context) {
    if (size >= head_bytes + sizeof(trailer)) {
        read_at(state, path, size - sizeof(trailer), &state.end, sizeof(trailer));
    }
    if (memcmp(state.end.magic, trailer_magic, sizeof(trailer_magic)) != 0 || state.end.length != size - sizeof(trailer)) {
        bad_file(path, "the file is truncated, or was not saved by this library");
    }
    if (state.end.fingerprint != fingerprint(context.model->model.get())) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: the state was saved by another model than %s", path, context.model->path.c_str());
    }
}

saved_state open_state(const char * path, const lucifer_context & context) {
    saved_state    state = {};
    state.file           = open_file(path, "rb");
    const uint64_t size  = file_size(state.file.get());
    const uint32_t n     = read_head(state, path, size);
    read_trailer(state, path, size, context);
    const int64_t room = n_ctx_seq(context);
    if (n > room) {
        fail(LUCIFER_STATUS_INVALID_FILE, "%s: it holds %u tokens, this context has room for %lld", path, n, (long long) room);
    }
    state.begin = head_bytes + n * sizeof(llama_token);
    if (state.begin > state.end.length) {
        bad_file(path, "its tokens do not end before the state does");
    }
    state.tokens.resize(n);
    read_at(state, path, head_bytes, state.tokens.data(), n * sizeof(llama_token));
    for (size_t i = 0; i < n; i++) {
        if ((uint32_t) state.tokens[i] >= (uint32_t) context.n_vocab) {
            fail(LUCIFER_STATUS_INVALID_FILE, "%s: its token %zu is %d, the vocabulary has %d", path, i, state.tokens[i], context.n_vocab);
        }
    }
    return state;
}

state_sequence sequence_of(const lucifer_context & context, const llama_token * tokens, int64_t n_tokens) {
    return {n_tokens, tokens, context.n_seq_max, llama_model_n_swa(context.model->model.get())};
}

void require_understood(const lucifer_context & context) {
    if (context.state_shape.empty()) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "%s: states of its kind of memory are not understood, so that a file of one could not be judged",
             context.model->path.c_str());
    }
}

int64_t n_held(const lucifer_context & context, int32_t seq_id) {
    return (int64_t) llama_memory_seq_pos_max(llama_get_memory(context.context.get()), seq_id) + 1;
}

std::vector<uint8_t> state_in_memory(const lucifer_context & context, int32_t seq_id) {
    llama_context *      c = context.context.get();
    std::vector<uint8_t> state(llama_state_seq_get_size(c, seq_id));
    if (state.size() <= 8 || llama_state_seq_get_data(c, state.data(), state.size(), seq_id) != state.size()) {
        fail(LUCIFER_STATUS_FAILED, "the sequence's state cannot be read: %s", call_last_error_line().c_str());
    }
    return state;
}

void forget(const lucifer_context & context, int32_t seq_id) {
    llama_memory_seq_rm(llama_get_memory(context.context.get()), seq_id, -1, -1);
}

// The state of an empty sequence with a token in it, which is taken out again.
std::vector<uint8_t> state_of_one_token(lucifer_context & context, int32_t seq_id) {
    llama_token    token   = 0;
    llama_pos      pos     = 0;
    int32_t        n_seq   = 1;
    llama_seq_id * seq     = &seq_id;
    int8_t         output  = 1;
    context.outputs.clear();
    context.n_outputs = 0;
    if (llama_decode(context.context.get(), {1, &token, nullptr, &pos, &n_seq, &seq, &output}) != 0) {
        fail(LUCIFER_STATUS_FAILED, "no token can be computed to learn how the context's states look: %s", call_last_error_line().c_str());
    }
    std::vector<uint8_t> state = state_in_memory(context, seq_id);
    forget(context, seq_id);
    return state;
}

// The shape of the context's states, from one that it makes now.
void learn_shape(lucifer_context & context, int32_t seq_id) {
    if (!context.state_shape.empty()) {
        return;
    }
    const int64_t              held  = n_held(context, seq_id);
    const std::vector<uint8_t> state = held > 0 ? state_in_memory(context, seq_id) : state_of_one_token(context, seq_id);
    context.state_shape              = shape_of_state(memories_of(state), sequence_of(context, nullptr, std::max<int64_t>(held, 1)));
    require_understood(context);
}

// The same from a state that has just been written.
void learn_shape(lucifer_context & context, const char * path, const int32_t * tokens, int32_t n_tokens) {
    if (!context.state_shape.empty()) {
        return;
    }
    saved_state state = {};
    state.file        = open_file(path, "rb");
    state.begin       = head_bytes + (uint64_t) n_tokens * sizeof(llama_token);
    state.end.length  = file_size(state.file.get());
    context.state_shape = shape_of_state(memories_of(state, path), sequence_of(context, tokens, n_tokens));
    require_understood(context);
}

// All that can be known before llama.cpp reads the file.
void judge(const saved_state & state, const char * path, const lucifer_context & context) {
    if (!state.tokens.empty()) { // of none there is only one state: see clear
        const state_sequence sequence = sequence_of(context, state.tokens.data(), (int64_t) state.tokens.size());
        const std::string    fault    = fault_of_state(memories_of(state, path), sequence, context.state_shape);
        if (!fault.empty()) {
            fail(LUCIFER_STATUS_INVALID_FILE, "%s does not fit this model and context: %s", path, fault.c_str());
        }
    }
    fseek(state.file.get(), 0, SEEK_SET);
    if (state.end.checksum != checksum_of(state.file.get(), state.end.length)) {
        bad_file(path, "the file is damaged: its checksum differs");
    }
}

// "" or why llama.cpp does not take it.
std::string take(const saved_state & state, const char * path, const lucifer_context & context, int32_t seq_id) {
    std::vector<llama_token> tokens(state.tokens.size());
    size_t                   n = 0;
    try {
        const size_t read = llama_state_seq_load_file(context.context.get(), path, seq_id, tokens.data(), tokens.size(), &n);
        return read == state.end.length && n_held(context, seq_id) == (int64_t) tokens.size() ? ""
               : read == 0 ? "llama.cpp: " + call_last_error_line()
                           : "it has changed while it was read";
    } catch (const abort_caught & e) {
        return e.message; // reading a state allocates and computes nothing: clearing the sequence mends it
    }
}

void put_back(const std::vector<uint8_t> & before, const lucifer_context & context, int32_t seq_id) {
    forget(context, seq_id);
    if (!before.empty() && llama_state_seq_set_data(context.context.get(), before.data(), before.size(), seq_id) != before.size()) {
        throw abort_caught{"a sequence cannot be put back as it was: " + call_last_error_line()};
    }
}

std::vector<uint8_t> state_to_put_back(const lucifer_context & context, int32_t seq_id) {
    return n_held(context, seq_id) > 0 ? state_in_memory(context, seq_id) : std::vector<uint8_t>();
}

bool has_memories(const saved_state & state, const char * path, const std::vector<uint8_t> & expected) {
    const state_bytes  in_file = memories_of(state, path), wanted = memories_of(expected);
    std::vector<uint8_t> a(wanted.size), b(wanted.size);
    if (in_file.size != wanted.size) {
        return false;
    }
    in_file.read(0, a.data(), in_file.size);
    wanted.read(0, b.data(), wanted.size);
    return a == b;
}

// By the state of no tokens, which llama.cpp need not read. As below, the sequence is as before when the file is refused.
void clear(const saved_state & state, const char * path, const lucifer_context & context, int32_t seq_id) {
    const std::vector<uint8_t> before = state_to_put_back(context, seq_id);
    forget(context, seq_id);
    if (!has_memories(state, path, state_in_memory(context, seq_id))) {
        put_back(before, context, seq_id);
        bad_file(path, "it says it holds no tokens, and is not the state of none");
    }
}

// The sequence is as before when the file is refused after all.
void replace(const saved_state & state, const char * path, const lucifer_context & context, int32_t seq_id) {
    const std::vector<uint8_t> before = state_to_put_back(context, seq_id);
    const std::string          why    = take(state, path, context, seq_id);
    if (!why.empty()) {
        put_back(before, context, seq_id);
        fail(LUCIFER_STATUS_INVALID_FILE, "%s does not fit this model and context: %s", path, why.c_str());
    }
}

void require_states(const lucifer_context & context) {
    if (!context.has_memory || llama_model_has_encoder(context.model->model.get())) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "%s: what an encoder has read is in no state", context.model->path.c_str());
    }
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_state_save(struct lucifer_context * context, int32_t seq_id, const char * path, const int32_t * tokens, int32_t n_tokens) {
    return guard_object("lucifer_state_save", context, [&] {
        require(path, "path");
        require_seq(*context, seq_id);
        require_states(*context);
        if (n_tokens < 0 || (n_tokens > 0 && tokens == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or their number %d is negative", n_tokens);
        }
        if (n_tokens != n_held(*context, seq_id)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%d tokens are given for the %lld that the sequence holds", n_tokens,
                 (long long) n_held(*context, seq_id));
        }
        if (llama_state_seq_save_file(context->context.get(), path, seq_id, tokens, (size_t) n_tokens) == 0) {
            remove(path);
            fail(LUCIFER_STATUS_FAILED, "%s: the state could not be written: %s", path, call_last_error_line().c_str());
        }
        if (n_tokens > 0) {
            learn_shape(*context, path, tokens, n_tokens);
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
        require_states(*context);
        if (cap < 0 || (cap > 0 && tokens == nullptr)) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tokens is null or its capacity %d is negative", cap);
        }
        const saved_state state = open_state(path, *context);
        *n_tokens               = (int32_t) state.tokens.size();
        if (*n_tokens > cap) {
            return (int32_t) LUCIFER_STATUS_BUFFER_TOO_SMALL;
        }
        if (*n_tokens > 0) {
            learn_shape(*context, seq_id);
        }
        judge(state, path, *context);
        if (*n_tokens > 0) {
            replace(state, path, *context, seq_id);
        } else {
            clear(state, path, *context, seq_id);
        }
        std::copy(state.tokens.begin(), state.tokens.end(), tokens);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
