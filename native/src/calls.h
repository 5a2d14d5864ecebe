#pragma once

// What one piece of work on untrusted input may take, looked at where functions are entered: llama.cpp's template engine recurses, and
// goes on, also where it takes no memory and so meets no budget - a list that holds itself is printed, compared and hashed without end.
// cmake/Calls.cmake has the compiler put a call of ours at the entry of each of its functions.

#include "budget.h"

#include <functional>

namespace lucifer {

// Calls body. When `allowed` is spent at the entry of a function, std::bad_alloc is thrown there, as where memory is taken. What is thrown
// in a function that must not throw would end the process: there body is left as it stands, what it holds is lost, and the result is
// false; body has to hold no lock, and this thread should end soon.
bool run_watched(budget & allowed, const std::function<void()> & body);

} // namespace lucifer
