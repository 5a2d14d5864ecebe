#include "quantize-plan.h"

#include "guard.h"

#include "ggml.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lucifer {

std::string quantize_plan::original_name(const std::string & name) const {
    int layer = 0, end = 0;
    if (pruned_layers.empty() || sscanf(name.c_str(), "blk.%d.%n", &layer, &end) != 1 || end == 0) {
        return name;
    }
    for (int32_t pruned : pruned_layers) { // sorted: each one at or below moves the layer up
        if (pruned >= 0 && pruned <= layer) {
            layer++;
        }
    }
    return "blk." + std::to_string(layer) + "." + name.substr((size_t) end);
}

lucifer_quantize_report quantize_plan::report() const {
    lucifer_quantize_report r = {};
    r.struct_size             = sizeof(r);
    r.n_tensors               = (int32_t) tensors.size();
    for (const lucifer_planned_tensor & t : tensors) {
        const bool converted = t.type_before != t.type_after;
        r.n_elements += t.ne[0] * t.ne[1] * t.ne[2] * t.ne[3];
        r.bytes_before += t.bytes_before;
        r.bytes_after += t.bytes_after;
        r.n_converted += converted;
        r.n_fallback += t.fallback;
        r.n_requantized += converted && ggml_is_quantized((ggml_type) t.type_before);
    }
    return r;
}

int32_t quantize_plan::mark_imatrix(const imatrix & matrix) {
    int32_t missing = 0;
    for (lucifer_planned_tensor & t : tensors) {
        t.has_imatrix = matrix.weights.count(original_name(t.name)) > 0 ? 1 : 0;
        missing += t.type_before != t.type_after && t.has_imatrix == 0;
    }
    return missing;
}

static bool on_log(void * data, int32_t level, const char * piece) {
    return ((log_reader *) data)->on_piece(level, piece);
}

log_listener::log_listener(log_reader & reader) {
    this_call().on_log_data = &reader;
    this_call().on_log      = on_log;
}

log_listener::~log_listener() {
    this_call().on_log = nullptr;
}

static int32_t type_of_name(const std::string & name) {
    for (int32_t type = 0; type < GGML_TYPE_COUNT; type++) {
        if (ggml_blck_size((ggml_type) type) > 0 && name == ggml_type_name((ggml_type) type)) {
            return type;
        }
    }
    fail(LUCIFER_STATUS_FAILED, "llama.cpp's log names an unknown type '%s'", name.c_str());
}

static int64_t bytes_of(int32_t type, const int64_t * ne) {
    return (int64_t) ggml_row_size((ggml_type) type, ne[0]) * ne[1] * ne[2] * ne[3];
}

// "[   1/  22] blk.0.attn_k.weight   - [  256,   512,     1,     1], type =    f16, "
static bool read_tensor_line(const char * text, lucifer_planned_tensor & t) {
    int          at = 0;
    const char * p  = text;
    if (sscanf(p, "[%*d/%*d] %n", &at) != 0 || at == 0) {
        return false;
    }
    p += at;
    const char * shape = strstr(p, " - [");
    const char * type  = shape != nullptr ? strstr(shape, "], type =") : nullptr;
    if (type == nullptr) {
        return false;
    }
    std::string name(p, shape);
    name.resize(name.find_last_not_of(' ') + 1);
    t             = {};
    t.struct_size = sizeof(t);
    snprintf(t.name, sizeof(t.name), "%s", name.c_str());
    std::fill(t.ne, t.ne + 4, 1);
    p = shape + 4;
    for (int i = 0; i < 4 && p < type; i++) {
        char * end = nullptr;
        t.ne[i]    = strtoll(p, &end, 10);
        p          = end + 1; // behind the comma
    }
    char type_name[32] = "";
    sscanf(type + 9, " %31[^,]", type_name);
    t.type_before  = type_of_name(type_name);
    t.type_after   = t.type_before;
    t.bytes_before = t.bytes_after = bytes_of(t.type_before, t.ne);
    return true;
}

bool plan_reader::on_piece(int32_t level, const char * text) {
    lucifer_planned_tensor t;
    char                   name[128];
    if (read_tensor_line(text, t)) {
        t.fallback = std::find(fallbacks_.begin(), fallbacks_.end(), t.name) != fallbacks_.end() ? 1 : 0;
        plan_.tensors.push_back(t);
    } else if (sscanf(text, "warning: %127s - ncols", name) == 1) { // "warning: NAME - ncols 100 not divisible by 256 …"
        fallbacks_.push_back(name);
    } else if (strncmp(text, "size = ", 7) == 0 && !plan_.tensors.empty()) { // "size = 1.00 MiB -> 0.28 MiB (q4_K)" or "size = 1.000 MiB"
        const char *             paren = strchr(text, '(');
        lucifer_planned_tensor & last  = plan_.tensors.back();
        if (paren != nullptr) {
            last.type_after  = type_of_name(std::string(paren + 1, strcspn(paren + 1, ")")));
            last.bytes_after = bytes_of(last.type_after, last.ne);
        }
    }
    return level < GGML_LOG_LEVEL_ERROR || level == GGML_LOG_LEVEL_CONT;
}

progress_reader::progress_reader(const quantize_plan & plan, int64_t * cells, const int32_t * cancel)
    : plan_(plan), cells_(cells), cancel_(cancel), bytes_total_(plan.report().bytes_before) {
    write_cells();
}

void progress_reader::write_cells() {
    if (cells_ != nullptr) {
        volatile int64_t * cells = cells_;
        cells[0] = (int64_t) done_;
        cells[1] = (int64_t) plan_.tensors.size();
        cells[2] = bytes_done_;
        cells[3] = bytes_total_;
    }
}

bool progress_reader::on_piece(int32_t /*level*/, const char * text) {
    lucifer_planned_tensor t;
    const bool             starts = read_tensor_line(text, t);
    const bool             ends   = strncmp(text, "size = ", 7) == 0 && done_ < started_;
    started_ += starts;
    if (ends) {
        bytes_done_ += done_ < plan_.tensors.size() ? plan_.tensors[done_].bytes_before : 0;
        done_++;
        write_cells();
    }
    if ((starts || ends) && cancel_ != nullptr && *(const volatile int32_t *) cancel_ != 0) {
        throw log_cancelled{};
    }
    return false;
}

} // namespace lucifer
