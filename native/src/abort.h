#pragma once

namespace lucifer {

// Hooks ggml's failed assertions. See abort.cpp for when it throws and when the process has to die.
void abort_hook_install();

} // namespace lucifer
