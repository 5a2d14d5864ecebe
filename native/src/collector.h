#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct ggml_tensor;

namespace lucifer {

/*
 * Adds up what an importance matrix is made of while a context computes: llama.cpp's scheduler calls on_node for each node of a graph, on
 * the thread that decodes. Nothing may be thrown through the scheduler: a fault is kept, nothing is collected after it, and
 * whoever decodes asks for it.
 *
 * Source: IMatrixCollector in llama.cpp v0.5.0, tools/imatrix/imatrix.cpp; sums are added in its order, so that they are equal to the last
 * bit.
 */
class collector {
public:
    struct entry {
        std::vector<float>   sums;   // of squares: n_columns for each matrix of the tensor
        std::vector<int64_t> counts; // of inputs: one, or one for each expert
    };

    explicit collector(bool with_output) : with_output_(with_output) {}

    static bool on_node(ggml_tensor * node, bool ask, void * self);

    const std::string & fault() const { return fault_; }

    std::map<std::string, entry> entries; // by the weight's name

private:
    bool wants(const ggml_tensor * node) const;
    void collect(const ggml_tensor * node);
    void collect_experts(const ggml_tensor * node, const char * data);
    void collect_dense(const ggml_tensor * node, const char * data);
    static void prepare(const std::string & name, entry & e, size_t n_sums, size_t n_counts);
    static void check_finite(const std::string & name, const float * sums, size_t n);

    bool              with_output_;
    std::string       fault_;
    std::vector<char> inputs_; // copied from a device
    std::vector<char> ids_;
};

} // namespace lucifer
