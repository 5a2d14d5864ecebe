#pragma once

#include <string>
#include <vector>

namespace lucifer::engine {

using splitter = std::vector<std::string>(const std::string & text, const std::vector<std::string> & expressions, bool byte_encode);

// llama.cpp's unicode_regex_split, with the same results, for texts of any length: where llama.cpp would use std::regex, which recurses for
// each symbol of a match, an engine of our own matches. What llama.cpp splits by functions of its own is left to those, and so is, with
// std::regex, what this engine cannot read: none of this version's expressions, see native/test/split-test.cpp.
std::vector<std::string> split(const std::string & text, const std::vector<std::string> & expressions, bool byte_encode,
                               splitter * of_llama_cpp);

// Whether llama.cpp splits by this expression with a function of its own.
bool is_split_by_function(const std::string & expression);

// Whether this engine can split by it.
bool is_split_by_engine(const std::string & expression);

} // namespace lucifer::engine
