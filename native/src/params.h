#pragma once

// What several structs of parameters have in common.

#include "lucifer_llama.h"

#include "llama.h"

#include <vector>

namespace lucifer {

// Upstream's form, with the empty key that ends it; empty when there are none.
std::vector<llama_model_kv_override> read_kv_overrides(const lucifer_kv_override * in, int32_t n);

// Throws INVALID_ARGUMENT.
void require_range(const char * name, int64_t value, int64_t from, int64_t to);

} // namespace lucifer
