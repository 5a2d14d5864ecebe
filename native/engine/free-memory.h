#pragma once

#include <cstddef>

namespace lucifer {

// Bytes that processes can still get, within the limit of the container; `otherwise` where this cannot be known.
size_t memory_available(size_t otherwise);

} // namespace lucifer
