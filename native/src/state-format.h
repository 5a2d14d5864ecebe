#pragma once

// What llama.cpp writes as the state of one sequence, as far as its counts, positions and ids go: a file is anybody's, and llama.cpp
// believes these. It is read without being loaded, and what is not understood is refused.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lucifer {

// The bytes of a state. read gives n of them from an offset on; it is only asked for what lies within size.
struct state_bytes {
    uint64_t                                                    size;
    std::function<void(uint64_t offset, void * out, uint64_t n)> read;
};

// The sequence that a state is to be: positions 0 to n_tokens - 1, of a token or more.
struct state_sequence {
    int64_t         n_tokens;
    const int32_t * tokens;    // null: not known
    int32_t         n_seq_max; // of the context
    int32_t         n_swa;     // the model's sliding attention window, 0: none
};

// What a state says about the context that wrote it: kinds of memory, layers, types and sizes of rows. All states of a context that hold
// a token or more have the same one.
using state_shape = std::vector<uint64_t>;

// Shape of a state that llama.cpp has just written for the sequence; empty when it is of a kind that is not understood here.
state_shape shape_of_state(const state_bytes & bytes, const state_sequence & sequence);

// "" when the bytes are a state of this shape and of the sequence, from the first to the last; else what is wrong.
std::string fault_of_state(const state_bytes & bytes, const state_sequence & sequence, const state_shape & shape);

} // namespace lucifer
