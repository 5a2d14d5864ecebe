#pragma once

#include "symbol-set.h"

#include <string>

// Unicode's categories, as llama.cpp has its expressions see them: a text is "collapsed" to one symbol for each code point, ASCII to itself
// and all else to a symbol for its category.
namespace lucifer::engine {

// What \p{name} matches in a collapsed text; empty where there is no such category.
symbol_set category(const std::string & name);

// What stands for a code point in a collapsed text.
symbol collapse(symbol code_point);

// What stands for it in the text that expressions without categories see: all white space is such to \s.
symbol widen(symbol code_point);

} // namespace lucifer::engine
