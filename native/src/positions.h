#pragma once

#include "llama.h"

#include <cstdint>
#include <vector>

namespace lucifer {

// Rows of a model's table of learnt positions, 0: it has none. llama.cpp reads the table with any position, and asserts on one behind its
// end while it computes, which ends the process.
int32_t learnt_positions(const llama_model * model, const std::vector<const char *> & paths);

} // namespace lucifer
