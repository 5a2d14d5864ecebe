#pragma once

#include <string>

namespace lucifer {

// Puts a look at the arguments before those of llama.cpp's Jinja functions that end the process for some: a division by zero, an order of
// values that have none, with which std::sort leaves the list. Once for the process; before a template runs.
void guard_builtins();

// The message of an exception, in which llama.cpp names types as the C++ ABI does, in Jinja's words.
std::string name_types(std::string message);

} // namespace lucifer
