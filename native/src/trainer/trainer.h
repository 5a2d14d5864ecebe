// Training of a LoRA adapter on a frozen model: forward, loss, backward and AdamW over graphs copied from llama.cpp's own.
//
// Loss of a micro-batch: sum over its outputs of weight * -log p(label), not divided; the gradients that are collected are of
// that sum. update() divides by the weights' sum since the last update, so that a step of several micro-batches is the mean
// over its supervised tokens, however they were split.

#pragma once

#include "trace.h"

#include "ggml-cpp.h"

#include <cstdint>
#include <map>
#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace lucifer {

enum class memory_mode { whole, layer };

struct trainer_options {
    batch_shape largest;    // most rows of a micro-batch, and most supervised ones
    int32_t     n_threads;
    arithmetic  wanted;     // native; exact: packed on the CPU alone; mixed: where the device that holds the weights can, else exact
    memory_mode memory;     // keep all activations, or only each layer's output and compute the rest again
    float       dropout;    // of the adapters' inputs, 0: none
    float       loss_scale; // a power of two >= 1; 0: as the devices need it
};

// What the loss is multiplied by, so that small gradients survive half precision: the largest power of two, up to the first, at which
// none overflows (Micikevicius et al., Mixed Precision Training, section 3.2).
class loss_scaler {
  public:
    explicit loss_scaler(float first) : first(first), scale(first) {}

    float value() const { return scale; }

    // After gradients that overflowed. false: it cannot be helped by scaling.
    bool shrink() {
        good = 0;
        const bool can = scale > 1.0f;
        scale = can ? scale/2.0f : scale;
        return can;
    }

    // After gradients that did not.
    void keep() {
        if (++good == patience) {
            good  = 0;
            scale = std::min(first, scale*2.0f);
        }
    }

  private:
    static constexpr int patience = 500;

    float first;
    float scale;
    int   good = 0;
};

// A micro-batch with its targets: labels and weights per entry of batch.outputs.
struct supervised_batch {
    packed_batch         batch;
    std::vector<int32_t> labels;
    std::vector<float>   weights;
};

struct adamw_options {
    float learning_rate;
    float beta1;
    float beta2;
    float epsilon;
    float weight_decay;
    float max_grad_norm;  // 0: no clipping
};

struct update_result {
    double grad_norm;  // before clipping
    bool   skipped;    // the gradients were not finite; nothing was changed
};

class autograd;

class trainer {
  public:
    // model and adapter must outlive the trainer; the adapter's tensors are trained in place.
    trainer(llama_model * model, llama_adapter_lora * adapter, const trainer_options & options);
    ~trainer();

    // The shape in which so many rows and outputs are computed.
    batch_shape shape_for(const batch_shape & needed) const;

    // Adds the gradients of a micro-batch, of a shape_for() something, and gives its loss sum. false: *cancel became non-zero,
    // nothing was added.
    bool accumulate(const supervised_batch & batch, uint32_t dropout_seed, const int32_t * cancel, double & loss);

    // The loss sum without gradients and without dropout.
    bool evaluate(const supervised_batch & batch, const int32_t * cancel, double & loss);

    update_result update(const adamw_options & options);
    void          clear_gradients();

    // Another trainer of the same tensors: takes what it has gathered since its last update, gives it the values.
    void gather(trainer & from);
    void share(trainer & to) const;

    // One trained tensor: value [ne0, ne1] lives in the adapter; gradient sum and AdamW's moments here.
    struct parameter {
        std::string        name;
        ggml_tensor *      tensor;
        std::vector<float> gradient;
        float *            pending;  // gradient of the micro-batch that is running; in staging memory
        float *            value;    // what the tensor holds: its own memory, or where that is another device's, a copy of it
        std::vector<float> m;
        std::vector<float> v;

        size_t size() const { return gradient.size(); }
    };
    std::vector<parameter> & parameters() { return params; }
    void put_value(parameter & p);  // after a change of what p.value points to

    int64_t steps = 0;  // updates so far: AdamW's t

    double  weight_sum() const { return supervised; }  // of the micro-batches since the last update
    int32_t n_layers() const { return (int32_t) traced->segments().size() - 1; }

    // Largest difference between the logits of the copied graph and llama_decode's on the probe batch, and the largest logit.
    struct check {
        double difference;
        double magnitude;
    };
    check   verify();  // once
    int32_t n_fallbacks() const { return fallbacks; }  // operations that only the CPU can do, where the model lies on another device
    int64_t compute_bytes() const;  // of the largest graph
    float   loss_scale() const { return scaler.value(); }

  private:
    struct stage;
    struct graphs;

    trainer_options        options;
    arithmetic             kind = arithmetic::native;
    cloner::attention_form plain_attention    = cloner::attention_form::recorded;  // without a backward pass behind it
    cloner::attention_form training_attention = cloner::attention_form::recorded;
    std::unique_ptr<trace> traced;

    std::vector<ggml_backend_ptr> backends;             // what holds the weights first, the CPU last
    ggml_backend_sched_ptr        sched;                // for stages that need several of them, nullptr when there is one
    stage *                       allocated = nullptr;  // whose tensors have memory of sched now
    ggml_gallocr_ptr              memory;               // of the first: all stages that need it alone lie in the same
    int64_t                       generation = 1;       // of that; when it grows, tensors lose their places

    ggml_context_ptr            state_ctx;  // tensors that live across graphs
    ggml_backend_buffer_ptr     state_buf;
    ggml_tensor *               rows;       // I32 [max rows] = 0, 1, 2, …
    std::vector<std::pair<ggml_tensor *, ggml_tensor *>> unpacked;  // a small model's weights, and the same in F32
    std::vector<std::pair<ggml_tensor *, ggml_tensor *>> shared;    // with several devices: recorded leaf, own leaf of all stages
    std::vector<ggml_tensor *>  outputs;    // layer mode, of the largest shape: output of each segment but the head, and
    std::vector<ggml_tensor *>  d_outputs;  // the loss's gradient with respect to it

    std::vector<parameter>  params;
    int64_t                 n_elements = 0;  // of all of them
    ggml_backend_buffer_ptr staging;  // what is copied between the host and the first device
    std::mt19937           random;
    double                 supervised = 0;
    int32_t                fallbacks = 0;
    loss_scaler            scaler{1.0f};

    std::map<std::pair<int32_t, int32_t>, std::unique_ptr<graphs>> sizes;  // by rows and outputs; made when first needed

    void start(llama_model * model, llama_adapter_lora * adapter, bool sample);
    void collect_parameters();
    void stage_parameters();
    void open_backends();
    void choose_attention();
    bool has_mixed_products() const;
    bool is_cuda() const;
    void make_state();
    std::vector<ggml_tensor *> weights_to_unpack() const;
    void fill_state();
    graphs & graphs_for(const batch_shape & shape);
    void build_whole(graphs & g) const;
    void build_layers(graphs & g) const;
    void check_supported();
    void count_fallbacks(const graphs & g);
    bool resizes() const;

    std::unique_ptr<stage> new_stage(const batch_shape & shape, bool training) const;
    cloner new_cloner(const stage & s) const;
    autograd backward_through(const cloner & copy, ggml_context * ctx) const;
    void   add_trunk(stage & s, cloner & copy, size_t first, size_t last) const;
    ggml_tensor * add_layer(stage & s, cloner & copy, size_t i) const;
    ggml_tensor * add_head(stage & s, ggml_tensor * hidden) const;
    void   add_backward(stage & s, cloner & copy, ggml_tensor * end, ggml_tensor * d_end, ggml_tensor * input, ggml_tensor * d_input) const;
    void   finish(stage & s) const;
    void   run(stage & s, const supervised_batch & batch);
    void   allocate(stage & s);
    bool   needs_one_device(const stage & s) const;
    void   allocate_on_one(stage & s);
    void   compute(stage & s);
    void   fill_shared(const packed_batch & batch);
    void   fill(stage & s, const supervised_batch & batch);
    void   collect(stage & s);
    bool   overflowed() const;
    bool   run_whole(graphs & g, const supervised_batch & batch, bool training, double & loss);
    bool   run_layers(graphs & g, const supervised_batch & batch, bool training, const int32_t * cancel, double & loss);
    bool   run_all(const supervised_batch & batch, bool training, const int32_t * cancel, double & loss);
    check  compare(const batch_shape & shape);
    double gradient_norm() const;
    void   apply_adamw(parameter & p, const adamw_options & o, double scale) const;
};

}  // namespace lucifer
