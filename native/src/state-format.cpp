// A state is the states of a model's memories, one behind the other, without anything between or around them: a cache of keys and values
// (two, of all layers and of those with a sliding window; more, with indexes), a recurrent memory, or a cache and a recurrent memory.
// As llama_kv_cache::state_write and llama_memory_recurrent::state_write have it:
//
//   cache      n_stream uint32; for each stream: n_cells uint32 and, unless it is 0:
//              cells       pos int32, n_seq uint32 = 1, [x, y, token: int32 each], seq int32
//              v_trans     uint32, n_layer uint32
//              K           for each layer: type int32, row size uint64, rows
//              V           the same, with v_trans: type int32, element size uint32, elements in a row uint32, rows; none with MLA
//   recurrent  n_cells uint32, for each: pos int32, n_seq uint32 = 0
//              s_trans uint32 = 0, n_layer uint32
//              R and S     for each that there is: type int32, row size uint64, rows
//
// Nothing says whether a cell has the part in brackets, whether there is V, how many of R and S there are, and which memory is next: the
// reader tries each in turn until one leads to the last byte. That is how it finds the shape of a state that can be trusted; one that
// cannot is read with this shape, which leaves nothing to try.

#include "state-format.h"

#include "guard.h"

#include <cstring>

namespace lucifer {

namespace {

constexpr uint32_t most_streams = 256; // LLAMA_MAX_SEQ

enum memory_kind : uint64_t { cache_kind = 1, recurrent_kind = 2 };

class state_reader {
public:
    state_reader(const state_bytes & bytes, const state_sequence & sequence, const state_shape * expected)
        : bytes_(bytes), sequence_(sequence), expected_(expected) {}

    bool read() { return memories(0) && (expected_ == nullptr || shape_.size() == expected_->size()); }

    const state_shape & shape() const { return shape_; }

    std::string fault() const { return fault_.empty() ? "it is of a context with another kind of memory, or cut short" : fault_; }

private:
    // Every function that reads moves `at` behind what it has read, and is false for what cannot be.

    bool memories(uint64_t at) {
        if (at == bytes_.size) {
            return true;
        }
        for (bool has_v : {true, false}) {
            for (bool has_ext : {false, true}) {
                if (leads_on(at, [&](uint64_t & next) { return cache(next, has_ext, has_v); })) {
                    return true;
                }
            }
        }
        const size_t mark = shape_.size();
        if (recurrent(at)) {
            return true;
        }
        shape_.resize(mark);
        return false;
    }

    // One memory, and those behind it.
    template <typename F> bool leads_on(uint64_t at, F && memory) {
        const size_t mark = shape_.size();
        if (memory(at) && memories(at)) {
            return true;
        }
        shape_.resize(mark);
        return false;
    }

    bool cache(uint64_t & at, bool has_ext, bool has_v) {
        uint32_t n_stream = 0;
        if (!note(cache_kind) || !note(has_ext) || !note(has_v) || !take(at, n_stream) || !note(n_stream) || n_stream < 1 ||
            n_stream > most_streams) {
            return false;
        }
        bool held = false; // one stream has the sequence's cells
        for (uint32_t s = 0; s < n_stream; s++) {
            uint32_t n_cells = 0;
            if (!take(at, n_cells)) {
                return false;
            }
            if (n_cells == 0) {
                continue;
            }
            if (held) {
                return refuse("cells of the sequence in two streams");
            }
            held = true;
            if (!cells(at, n_cells, has_ext) || !rows(at, n_cells, has_v)) {
                return false;
            }
        }
        return held || refuse("a cache without cells");
    }

    bool cells(uint64_t & at, uint32_t n_cells, bool has_ext) {
        struct cell {
            int32_t  pos;
            uint32_t n_seq;
            int32_t  x, y, token; // with ext
            int32_t  seq;
        };
        if (!is_window(n_cells)) {
            return refuse(format("%u cells for %lld tokens", n_cells, (long long) sequence_.n_tokens));
        }
        const size_t         cell_bytes = has_ext ? 24 : 12;
        std::vector<char>    data;
        std::vector<uint8_t> seen(n_cells, 0);
        if (!take(at, data, n_cells * cell_bytes)) {
            return false;
        }
        const int64_t first = sequence_.n_tokens - n_cells;
        for (uint32_t i = 0; i < n_cells; i++) {
            cell         c    = {};
            const char * here = data.data() + i * cell_bytes;
            memcpy(&c.pos, here, 8);
            memcpy(&c.seq, here + cell_bytes - 4, 4);
            if (c.pos < first || c.pos >= sequence_.n_tokens || seen[(size_t) (c.pos - first)]++ != 0) {
                return refuse(format("cell %u of %u stands at position %d, expected each of %lld to %lld once", i, n_cells, c.pos,
                                     (long long) first, (long long) sequence_.n_tokens - 1));
            }
            if (c.n_seq != 1 || c.seq < 0 || c.seq >= sequence_.n_seq_max) {
                return refuse(format("cell %u is of %u sequences, the first is %d", i, c.n_seq, c.seq));
            }
            if (has_ext) {
                memcpy(&c.x, here + 8, 12);
                const bool known = sequence_.tokens == nullptr || c.token == sequence_.tokens[c.pos];
                if (c.x != c.pos || c.y != c.pos || !known) {
                    return refuse(format("cell %u at position %d is of token %d at %d, %d", i, c.pos, c.token, c.x, c.y));
                }
            }
        }
        return true;
    }

    // The cache of a sliding window holds the last tokens only: a window of them, or those since a multiple of it.
    bool is_window(uint32_t n_cells) const {
        const int64_t n = sequence_.n_tokens, window = sequence_.n_swa;
        return n_cells == n || (window > 0 && n_cells < n && (n_cells >= window || n_cells == (n - 1) % window + 1));
    }

    bool rows(uint64_t & at, uint32_t n_cells, bool has_v) {
        uint32_t v_trans = 0, n_layer = 0;
        if (!take(at, v_trans) || !take(at, n_layer) || !note(v_trans) || !note(n_layer) || v_trans > 1) {
            return false;
        }
        for (uint32_t il = 0; il < n_layer; il++) {
            if (!row(at, n_cells)) {
                return false;
            }
        }
        for (uint32_t il = 0; has_v && il < n_layer; il++) {
            if (!(v_trans == 1 ? transposed_row(at, n_cells) : row(at, n_cells))) {
                return false;
            }
        }
        return true;
    }

    bool row(uint64_t & at, uint32_t n_cells) {
        int32_t  type = 0;
        uint64_t size = 0;
        return take(at, type) && take(at, size) && note((uint32_t) type) && note(size) && skip(at, size, n_cells);
    }

    bool transposed_row(uint64_t & at, uint32_t n_cells) {
        int32_t  type = 0;
        uint32_t element = 0, n = 0;
        return take(at, type) && take(at, element) && take(at, n) && note((uint32_t) type) && note(element) && note(n) && element > 0 &&
               n > 0 && skip(at, (uint64_t) element * n, n_cells);
    }

    // A recurrent memory and those behind it.
    bool recurrent(uint64_t at) {
        uint32_t n_cells = 0, n_seq = 0, s_trans = 0, n_layer = 0;
        int32_t  pos     = -1;
        if (!note(recurrent_kind) || !take(at, n_cells)) {
            return false;
        }
        if (n_cells != 1) {
            return refuse(format("%u states of a recurrent memory, expected one", n_cells));
        }
        if (!take(at, pos) || !take(at, n_seq)) {
            return false;
        }
        if (pos != sequence_.n_tokens - 1 || n_seq != 0) {
            return refuse(format("the recurrent memory's state is of position %d and %u sequences, expected %lld and none", pos, n_seq,
                                 (long long) sequence_.n_tokens - 1));
        }
        return take(at, s_trans) && take(at, n_layer) && note(s_trans) && note(n_layer) && s_trans == 0 && recurrent_rows(at, 0);
    }

    // More rows, or none and what is behind them.
    bool recurrent_rows(uint64_t at, uint64_t n_rows) {
        enum : uint64_t { no_more = 0, one_more = 1 };
        const size_t mark = shape_.size();
        if (note(no_more) && memories(at)) {
            return true;
        }
        shape_.resize(mark);
        return n_rows < 2 * most_layers && note(one_more) && row(at, 1) && recurrent_rows(at, n_rows + 1);
    }

    // A part of the shape: to be learnt, or known.
    bool note(uint64_t part) {
        if (expected_ != nullptr && (shape_.size() >= expected_->size() || (*expected_)[shape_.size()] != part)) {
            return false;
        }
        shape_.push_back(part);
        return true;
    }

    template <typename T> bool take(uint64_t & at, T & value) {
        if (bytes_.size - at < sizeof(value)) {
            return false;
        }
        bytes_.read(at, &value, sizeof(value));
        at += sizeof(value);
        return true;
    }

    bool take(uint64_t & at, std::vector<char> & data, uint64_t n) {
        if (bytes_.size - at < n) {
            return false;
        }
        data.resize((size_t) n);
        bytes_.read(at, data.data(), n);
        at += n;
        return true;
    }

    bool skip(uint64_t & at, uint64_t size, uint64_t times) {
        if (times > 0 && size > (bytes_.size - at) / times) {
            return false;
        }
        at += size * times;
        return true;
    }

    bool refuse(const std::string & why) {
        fault_ = why;
        return false;
    }

    static constexpr uint64_t most_layers = 512; // LLAMA_MAX_LAYERS

    const state_bytes &    bytes_;
    const state_sequence & sequence_;
    const state_shape *    expected_;
    state_shape            shape_;
    std::string            fault_;
};

} // namespace

state_shape shape_of_state(const state_bytes & bytes, const state_sequence & sequence) {
    state_reader reader(bytes, sequence, nullptr);
    return reader.read() ? reader.shape() : state_shape();
}

std::string fault_of_state(const state_bytes & bytes, const state_sequence & sequence, const state_shape & shape) {
    state_reader reader(bytes, sequence, &shape);
    return reader.read() ? "" : reader.fault();
}

} // namespace lucifer
