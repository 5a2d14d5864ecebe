#pragma once

// What llama.cpp's quantizer says in its log, as data.

#include "imatrix.h"
#include "lucifer_llama.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lucifer {

struct quantize_plan {
    explicit quantize_plan(const std::vector<int32_t> & pruned) : pruned_layers(pruned) {}

    std::vector<lucifer_planned_tensor> tensors;
    std::vector<int32_t>                pruned_layers; // sorted, -1 at the end

    // Name that a tensor had before layers were pruned: the one in an importance matrix.
    std::string             original_name(const std::string & name) const;
    lucifer_quantize_report report() const;

    // Notes which tensors have an entry; gives the number of converted ones that have none.
    int32_t mark_imatrix(const imatrix & matrix);
};

// Not a std::exception, which llama_model_quantize would catch.
struct log_cancelled {};

class log_reader {
public:
    virtual ~log_reader() = default;
    // A piece of llama.cpp's log; true: it does not go to the ring.
    virtual bool on_piece(int32_t level, const char * text) = 0;
};

// Lets a reader see the log of the calling thread while it lives.
class log_listener {
public:
    explicit log_listener(log_reader & reader);
    ~log_listener();
    log_listener(const log_listener &)             = delete;
    log_listener & operator=(const log_listener &) = delete;
};

// Reads a dry run's log into a plan, and keeps it out of the ring.
class plan_reader : public log_reader {
public:
    explicit plan_reader(quantize_plan & plan) : plan_(plan) {}
    bool on_piece(int32_t level, const char * text) override;

private:
    quantize_plan &          plan_;
    std::vector<std::string> fallbacks_;
};

// Counts the tensors that are done into the caller's cells, and throws log_cancelled when its flag is set.
class progress_reader : public log_reader {
public:
    progress_reader(const quantize_plan & plan, int64_t * cells, const int32_t * cancel);
    bool on_piece(int32_t level, const char * text) override;

private:
    void write_cells();

    const quantize_plan & plan_;
    int64_t *             cells_;
    const int32_t *       cancel_;
    size_t                started_ = 0;
    size_t                done_    = 0;
    int64_t               bytes_done_  = 0;
    int64_t               bytes_total_ = 0;
};

} // namespace lucifer
