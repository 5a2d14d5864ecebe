// llama.cpp's `common` library has a logger of its own: a thread that prints to stdout and stderr. This file takes the place
// of common/log.cpp at link time (same functions, so the archive's object is not pulled in): its lines go to our ring, and no
// thread is started.

#include "log.h"

#include "common/log.h"

#include <cstdarg>
#include <cstdio>
#include <string>

struct common_log {};

static common_log g_common_log;

int common_log_get_verbosity_thold(void) {
    return LOG_LEVEL_INFO;
}

void common_log_set_verbosity_thold(int /*verbosity*/) {
}

bool common_log_get_jsonl(void) {
    return false;
}

void common_log_set_jsonl(bool /*jsonl*/) {
}

int common_log_get_verbosity(enum ggml_log_level level) {
    switch (level) {
        case GGML_LOG_LEVEL_DEBUG: return LOG_LEVEL_DEBUG;
        case GGML_LOG_LEVEL_INFO:  return LOG_LEVEL_INFO;
        case GGML_LOG_LEVEL_WARN:  return LOG_LEVEL_WARN;
        case GGML_LOG_LEVEL_ERROR: return LOG_LEVEL_ERROR;
        case GGML_LOG_LEVEL_CONT:  return LOG_LEVEL_INFO;
        case GGML_LOG_LEVEL_NONE:
        default:                   return LOG_LEVEL_OUTPUT;
    }
}

void common_log_default_callback(enum ggml_log_level level, const char * text, void * /*user_data*/) {
    lucifer::log_piece(level, text);
}

struct common_log * common_log_init() {
    return &g_common_log;
}

struct common_log * common_log_main() {
    return &g_common_log;
}

void common_log_pause(struct common_log * /*log*/) {
}

void common_log_resume(struct common_log * /*log*/) {
}

void common_log_free(struct common_log * /*log*/) {
}

void common_log_add(struct common_log * /*log*/, enum ggml_log_level level, const char * fmt, ...) {
    va_list args;
    va_start(args, fmt);
    va_list copy;
    va_copy(copy, args);
    const int n = vsnprintf(nullptr, 0, fmt, copy);
    va_end(copy);
    std::string text(n > 0 ? (size_t) n : 0, '\0');
    vsnprintf(&text[0], text.size() + 1, fmt, args);
    va_end(args);
    lucifer::log_piece(level, text.c_str());
}

void common_log_add_json(struct common_log * /*log*/, const char * /*type*/, const common_json & /*data*/) {
}

void common_log_set_file(struct common_log * /*log*/, const char * /*file*/) {
}

void common_log_set_colors(struct common_log * /*log*/, log_colors /*colors*/) {
}

void common_log_set_prefix(struct common_log * /*log*/, bool /*prefix*/) {
}

void common_log_set_timestamps(struct common_log * /*log*/, bool /*timestamps*/) {
}

void common_log_flush(struct common_log * /*log*/) {
}
