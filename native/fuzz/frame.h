#pragma once

// What the drivers of native/fuzz share. A driver defines `attempt`, which hands one input to an entry of the library. It is called by
// libFuzzer (frame.cpp) or by the mutator that any compiler can build (mutate.cpp), many times in one process.

#include "lucifer_llama.h"

#include <string>
#include <vector>

// An input may do what it likes, short of ending the process: by a death, or by `must`.
void attempt(const std::string & input);

// Ends the process unless the condition holds, saying what should have held.
void must(bool condition, const char * what);

// True for success. A refusal is as good, when it says what is wrong; an exception or assertion that was caught is not.
bool accepted(int32_t status);

// The same for a GGUF file, which a caller has to check first: there a caught assertion is a refusal too.
bool accepted_unchecked(int32_t status);

template <typename T> T sized() {
    T value           = {};
    value.struct_size = sizeof(T);
    return value;
}

// With '?' for the bytes that are no UTF-8, as Java's strings reach the library.
std::string as_utf8(std::string text);

// A model or vocabulary of the repository or of llama.cpp's source, by its path, loaded when it is first asked for. Never freed.
lucifer_model * sound_model(const std::string & path);

// The same file a second time, or null when the library refuses it.
lucifer_model * load_model(const std::string & path);

// A context for a few tokens of the model; one thread, so that a fault does not depend on others.
lucifer_context * new_context(lucifer_model * model);

// Computes tokens 1, 2, 3 … of sequence 0 from position p0 on; the last one has logits.
int32_t decode(lucifer_context * context, int32_t p0, int32_t n_tokens);

// The path of a file that holds the input, until it holds the next one; it is memory, no disk.
const char * file_of(const std::string & input);
