// The log ring: llama.cpp's lines wait here until the caller takes them, so that no thread of ggml ever calls into Java.

#include "log.h"

#include "guard.h"

#include "llama.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <string>

namespace lucifer {

namespace {

struct log_ring {
    struct line {
        int32_t     level = 0;
        std::string text;
    };
    static constexpr size_t capacity = 1024;

    std::mutex                 mutex;
    std::array<line, capacity> lines;
    size_t                     first   = 0;
    size_t                     count   = 0;
    int64_t                    dropped = 0;

    void put(int32_t level, const char * text, size_t size) {
        std::lock_guard<std::mutex> lock(mutex);
        line &                      slot = lines[(first + count) % capacity];
        slot.level                       = level;
        slot.text.assign(text, size);
        if (count < capacity) {
            count++;
        } else {
            first = (first + 1) % capacity;
            dropped++;
        }
    }
};

log_ring             g_ring;
std::atomic<int32_t> g_level{GGML_LOG_LEVEL_CONT}; // above all: nothing is kept

// llama.cpp logs in pieces, until a newline; the pieces of a line may have different levels, or level CONT.
struct pending_line {
    int32_t level;
    size_t  size;
    char    text[4096];
};
thread_local pending_line t_pending;

void keep_error(const char * text, size_t size) noexcept {
    call_state & call = this_call();
    if (call.depth == 0 || call.n_errors + size + 1 > call_state::max_errors) {
        return; // the first lines tell the cause
    }
    memcpy(call.errors + call.n_errors, text, size);
    call.errors[call.n_errors + size] = '\n';
    call.n_errors += size + 1;
}

void finish(pending_line & line) noexcept {
    const size_t size = line.size;
    if (size == 0) {
        return;
    }
    line.size       = 0;
    line.text[size] = '\0';
    if (line.level >= GGML_LOG_LEVEL_ERROR) {
        keep_error(line.text, size);
    }
    if (line.level >= g_level.load(std::memory_order_relaxed)) {
        try {
            g_ring.put(line.level, line.text, size);
        } catch (...) {
            // no memory for a log line is no reason to fail
        }
    }
}

void on_log(ggml_log_level level, const char * text, void * /*data*/) {
    log_piece(level, text);
}

} // namespace

void log_piece(int32_t level, const char * text) {
    const call_state & call = this_call();
    if (call.on_log != nullptr && call.on_log(call.on_log_data, level, text)) {
        return;
    }
    pending_line & line = t_pending;
    if (level == GGML_LOG_LEVEL_NONE || (level == GGML_LOG_LEVEL_CONT && line.size == 0)) {
        level = GGML_LOG_LEVEL_INFO;
    }
    if (level != GGML_LOG_LEVEL_CONT) {
        line.level = line.size == 0 ? level : std::max(line.level, level);
    }
    for (const char * p = text; *p != '\0'; p++) {
        if (*p == '\n') {
            finish(line);
            line.level = level == GGML_LOG_LEVEL_CONT ? line.level : level;
        } else if (line.size + 1 < sizeof(line.text)) {
            line.text[line.size++] = *p;
        }
    }
}

void log_install() {
    llama_log_set(on_log, nullptr);
}

log_restore::~log_restore() {
    llama_log_set(on_log, nullptr);
}

void log_finish_line() noexcept {
    finish(t_pending);
}

void log_line(int32_t level, const std::string & line) noexcept {
    if (level < g_level.load(std::memory_order_relaxed)) {
        return;
    }
    try {
        g_ring.put(level, line.data(), line.size());
    } catch (...) {
        // as above
    }
}

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_log_take(int32_t * level, int64_t * dropped, char * buf, int64_t cap, int64_t * len) {
    return guard("lucifer_log_take", [&] {
        require(level, "level");
        require(dropped, "dropped");
        require(len, "len");
        std::lock_guard<std::mutex> lock(g_ring.mutex);
        *dropped = 0;
        if (g_ring.count == 0) {
            *dropped       = g_ring.dropped;
            g_ring.dropped = 0;
            *len           = -1;
            return (int32_t) LUCIFER_STATUS_OK;
        }
        const log_ring::line & line   = g_ring.lines[g_ring.first];
        const int32_t          status = put_text(line.text, buf, cap, len);
        if (status == LUCIFER_STATUS_OK) {
            *level         = line.level;
            *dropped       = g_ring.dropped;
            g_ring.dropped = 0;
            g_ring.first   = (g_ring.first + 1) % log_ring::capacity;
            g_ring.count--;
        }
        return status;
    });
}

int32_t lucifer_log_set_level(int32_t level) {
    return guard("lucifer_log_set_level", [&] {
        if (level < GGML_LOG_LEVEL_DEBUG || level > GGML_LOG_LEVEL_CONT) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "level is %d, expected 1 (debug) to 5 (nothing)", level);
        }
        g_level = level;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
