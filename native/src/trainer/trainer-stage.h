// The trainer's graphs, which its files share: one stage is one graph that is computed.

#pragma once

#include "trainer.h"

#include "ggml-cpp.h"

#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace lucifer {

static const size_t MAX_NODES = 65536;  // of a graph

// A graph with its own tensors, and the leaves that are filled before it runs.
struct trainer::stage {
    batch_shape      shape;
    bool             training;
    bool             on_one = false;  // the first device computes it alone
    int64_t          generation = 0;  // of the memory in which its tensors lie
    ggml_context_ptr ctx;
    ggml_cgraph *    graph = nullptr;

    std::vector<std::pair<ggml_tensor *, ggml_tensor *>> inputs;    // recorded leaf, own leaf
    std::vector<ggml_tensor *>                           label_ids;  // per head chunk: I32 [c], row*n_vocab + label
    std::vector<ggml_tensor *>                           weights;    // per head chunk: F32 [1, c]
    std::vector<ggml_tensor *>                           scaled;     // weights times loss scale
    std::vector<ggml_tensor *>                           losses;     // per head chunk: F32 [1]
    std::vector<ggml_tensor *>                           dropouts;   // F32 masks, 0 or 1/(1 - p)
    std::map<ggml_tensor *, ggml_tensor *>               gradients;  // adapter tensor -> its gradient

    // With several devices the scheduler makes nodes read its own copies of other devices' tensors, and later forgets these.
    std::vector<std::pair<ggml_tensor **, ggml_tensor *>> sources;  // as they were built

    void remember_sources();
    void forget_memory();
};

// All graphs of one shape: of the whole model, or layer by layer.
struct trainer::graphs {
    batch_shape shape;

    std::unique_ptr<stage> train_whole;
    std::unique_ptr<stage> eval_whole;

    std::vector<std::unique_ptr<stage>> forward_layers;
    std::vector<std::unique_ptr<stage>> backward_layers;  // nullptr below the lowest adapted layer
    std::unique_ptr<stage>              head_train;
    std::unique_ptr<stage>              head_eval;
};

}  // namespace lucifer
