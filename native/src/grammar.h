#pragma once

#include "llama.h"

#include <string>

namespace lucifer {

// Throws INVALID_ARGUMENT with the fault of a GBNF grammar. llama.cpp's own parser prints it to stderr and forgets it.
void grammar_check(const llama_vocab * vocab, const std::string & grammar);

// Throws INVALID_ARGUMENT when brackets are nested deeper than `most` outside strings: upstream's parsers recurse.
void json_check_depth(const char * what, const std::string & text, int most);

} // namespace lucifer
