#pragma once

#include <cstdint>
#include <string>

namespace lucifer {

// Makes us the receiver of llama.cpp's and ggml's log. (log-common.cpp does the same for its `common` library.)
void log_install();

// Puts us back as receiver when it goes out of scope. For calls that borrow llama.cpp's global logger.
class log_restore {
public:
    log_restore() = default;
    ~log_restore();
    log_restore(const log_restore &)             = delete;
    log_restore & operator=(const log_restore &) = delete;
};

// A piece of a log line in ggml's terms (level, newline at the end of a line).
void log_piece(int32_t level, const char * text);

// Ends a line of the calling thread that llama.cpp left without newline.
void log_finish_line() noexcept;

// A line of our own.
void log_line(int32_t level, const std::string & line) noexcept;

} // namespace lucifer
