#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace lucifer {

// An importance matrix as llama.cpp's quantizer takes it: per tensor one weight for each column (of each expert).
struct imatrix {
    std::unordered_map<std::string, std::vector<float>> weights;
    std::vector<std::string>                            datasets;
    int32_t                                             chunk_count = -1;
};

// Reads either of upstream's formats. Throws INVALID_FILE.
imatrix imatrix_read(const std::string & path);

// Keeps the entries whose name contains one of `include` (empty: all), and drops those that contain one of `exclude`.
void imatrix_select(imatrix & matrix, const std::vector<std::string> & include, const std::vector<std::string> & exclude);

} // namespace lucifer
