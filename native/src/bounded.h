#pragma once

// Runs code that executes a program from a file - a model's chat template - with bounds that the engine lacks: a template that
// calls itself without end would overflow the stack, and one that counts without end would take all memory; either is the end
// of the process.

#include <functional>

namespace lucifer {

// Calls body on a thread with a stack of its own and waits for it. Fails with LUCIFER_STATUS_INVALID_ARGUMENT, saying that
// `subject` needs too much, when body recurses too deeply, holds too many objects or makes too many; lets out what body throws.
// What body allocates is counted in this library's own operator new: memory that the C++ library takes in its compiled parts,
// the bytes of long strings above all, is not.
void run_bounded(const char * subject, const std::function<void()> & body);

} // namespace lucifer
