#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct llama_grammar_element;

namespace lucifer {

// Throws INVALID_ARGUMENT with the line, where a grammar's literals, classes, tokens or repetitions say what llama.cpp's parser takes
// without a look: brackets nested too deeply for it, repetitions of most times less than least times or of more than it can count,
// characters that Unicode does not have, ranges that end before they begin, tokens that the vocabulary does not have. What the parser
// refuses itself is left to it.
void gbnf_check_text(const std::string & grammar, int32_t n_tokens);

// Throws INVALID_ARGUMENT for parsed rules that begin with themselves, or with each other in more ways or deeper than llama.cpp's search
// for such rules could follow. names: of the rules, by number.
void gbnf_check_rules(const std::vector<std::vector<llama_grammar_element>> & rules, const std::vector<std::string> & names);

} // namespace lucifer
