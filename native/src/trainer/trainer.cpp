#include "trainer.h"

#include "autograd.h"
#include "gemm.h"
#include "guard.h"
#include "log.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>

namespace lucifer {

static const size_t MAX_NODES = 65536;
static const int64_t HEAD_BYTES_WHOLE = 64 << 20;  // of one chunk of logits
static const int64_t HEAD_BYTES_LAYER = 8 << 20;
static const int64_t HEAD_ROWS        = 64;        // of the smallest chunk: for each, the output weights are read again

static const int64_t UNPACKED_BYTES   = 64 << 20;  // of weights that are kept as F32 beside the model's own

static bool is_product(const ggml_tensor * t) { return t->op == GGML_OP_MUL_MAT || product_form(t) == product::forward; }

// A graph with its own tensors, and the leaves that are filled before it runs.
struct trainer::stage {
    batch_shape      shape;
    bool             training;
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

void trainer::stage::remember_sources() {
    if (!sources.empty()) {
        return;
    }
    for (int i = 0; i < ggml_graph_n_nodes(graph); ++i) {
        for (ggml_tensor *& src : ggml_graph_node(graph, i)->src) {
            if (src != nullptr) {
                sources.emplace_back(&src, src);
            }
        }
    }
}

void trainer::stage::forget_memory() {
    for (const auto & [place, src] : sources) {
        *place = src;
    }
    for (ggml_tensor * t = ggml_get_first_tensor(ctx.get()); t != nullptr; t = ggml_get_next_tensor(ctx.get(), t)) {
        t->data   = nullptr;
        t->buffer = nullptr;
    }
}

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

// A few rows are recorded where that is enough, for llama.cpp computes them: with the weights' types on the CPU.
trainer::trainer(llama_model * model, llama_adapter_lora * adapter, const trainer_options & options) : options(options) {
    start(model, adapter, options.exact);
    if (options.exact && !resizes()) {
        start(model, adapter, false);
    }
    collect_parameters();
    make_state();
    check_supported();
    count_fallbacks(graphs_for(shape_for(options.largest)));
}

void trainer::start(llama_model * model, llama_adapter_lora * adapter, bool sample) {
    traced = std::make_unique<trace>(model, adapter, options.largest, sample, options.n_threads);
    open_backends();
}

// Whether graphs are made for the shapes that are needed. Elsewhere than on the CPU alone they would have to be planned anew each time.
bool trainer::resizes() const { return traced->is_scalable() && kind == arithmetic::packed; }

// Multiples of a sixteenth of the largest, so that there are few; outputs in the proportion of the largest where that is enough.
batch_shape trainer::shape_for(const batch_shape & needed) const {
    if (!resizes()) {
        return options.largest;
    }
    const batch_shape & most = options.largest;
    const auto round_up = [](int64_t n, int64_t largest) {
        const int64_t step = std::max<int64_t>(8, (largest + 127)/128*8);
        return (int32_t) std::min(largest, (n + step - 1)/step*step);
    };
    const int32_t rows = round_up(needed.rows, most.rows);
    const int64_t share = (int64_t) rows*most.outputs/most.rows;
    return { rows, std::min(rows, round_up(std::max<int64_t>(needed.outputs, share), most.outputs)) };
}

trainer::~trainer() = default;

// --- set-up -----------------------------------------------------------------------------------------------------------

void trainer::collect_parameters() {
    std::map<std::string, ggml_tensor *> found;
    for (ggml_tensor * t : traced->recorded()) {
        for (ggml_tensor * src : t->src) {
            if (src != nullptr && src->op == GGML_OP_NONE && is_adapter_tensor(src)) {
                found[src->name] = src;
            }
        }
    }
    if (found.empty()) {
        throw status_error(LUCIFER_STATUS_UNSUPPORTED, "the model's graph uses none of the adapter's tensors");
    }
    for (const auto & [name, t] : found) {
        if (t->type != GGML_TYPE_F32) {
            throw status_error(LUCIFER_STATUS_UNSUPPORTED, "adapter tensor " + name + " is " + ggml_type_name(t->type) + ", training needs f32");
        }
        const size_t n = ggml_nelements(t);
        params.push_back({ name, t, std::vector<float>(n), std::vector<float>(n), std::vector<float>(n), std::vector<float>(n) });
    }
}

// The devices that hold the model's weights, and the CPU last.
void trainer::open_backends() {
    sched.reset();
    backends.clear();
    std::vector<ggml_backend_dev_t> devices;
    for (ggml_tensor * t : traced->recorded()) {
        for (ggml_tensor * src : t->src) {
            if (src == nullptr || src->op != GGML_OP_NONE || src->buffer == nullptr) {
                continue;
            }
            ggml_backend_dev_t dev = ggml_backend_buft_get_device(ggml_backend_buffer_get_type(src->buffer));
            if (dev != nullptr && ggml_backend_dev_type(dev) != GGML_BACKEND_DEVICE_TYPE_CPU &&
                std::find(devices.begin(), devices.end(), dev) == devices.end()) {
                devices.push_back(dev);
            }
        }
    }
    devices.push_back(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));

    std::vector<ggml_backend_t> raw;
    for (ggml_backend_dev_t dev : devices) {
        backends.emplace_back(ggml_backend_dev_init(dev, nullptr));
        if (!backends.back()) {
            throw std::runtime_error(std::string("device ") + ggml_backend_dev_name(dev) + " could not be opened");
        }
        raw.push_back(backends.back().get());
        auto set_n_threads = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(dev), "ggml_backend_set_n_threads");
        if (set_n_threads != nullptr) {
            set_n_threads(raw.back(), options.n_threads);
        }
    }
    constexpr float DEVICE_LOSS_SCALE = 4096.0f;
    scaler = loss_scaler(options.loss_scale > 0.0f ? options.loss_scale : devices.size() > 1 ? DEVICE_LOSS_SCALE : 1.0f);
    kind = !options.exact ? arithmetic::native : devices.size() > 1 ? arithmetic::exact : arithmetic::packed;
    if (raw.size() > 1) {
        sched.reset(ggml_backend_sched_new(raw.data(), nullptr, (int) raw.size(), MAX_NODES, false, false));
    } else {
        memory.reset(ggml_gallocr_new(ggml_backend_get_default_buffer_type(raw.front())));
    }
}

// Weights that are not F32, if all of them together are small: then reading their types for each micro-batch, of often few rows,
// costs more than memory does.
std::vector<ggml_tensor *> trainer::weights_to_unpack() const {
    if (kind != arithmetic::packed || options.memory == memory_mode::layer) {
        return {};
    }
    std::vector<ggml_tensor *> weights;
    int64_t bytes = 0;
    for (const ggml_tensor * t : traced->recorded()) {
        ggml_tensor * w = t->op == GGML_OP_MUL_MAT ? t->src[0] : nullptr;
        const bool frozen = w != nullptr && w->op == GGML_OP_NONE && w->type != GGML_TYPE_F32 && !is_adapter_tensor(w);
        if (frozen && std::find(weights.begin(), weights.end(), w) == weights.end()) {
            weights.push_back(w);
            bytes += ggml_nelements(w)*(int64_t) sizeof(float);
        }
    }
    return bytes <= UNPACKED_BYTES ? weights : std::vector<ggml_tensor *> {};
}

void trainer::make_state() {
    const auto & parts   = traced->segments();
    const auto   weights = weights_to_unpack();
    state_ctx.reset(ggml_init({ ggml_tensor_overhead()*(2*parts.size() + weights.size() + 8), nullptr, true }));
    rows = ggml_new_tensor_1d(state_ctx.get(), GGML_TYPE_I32, traced->max_rows());
    for (ggml_tensor * w : weights) {
        unpacked.emplace_back(w, ggml_new_tensor(state_ctx.get(), GGML_TYPE_F32, GGML_MAX_DIMS, w->ne));
        ggml_set_name(unpacked.back().second, w->name);
    }
    if (options.memory == memory_mode::layer) {
        const cloner full(*traced, state_ctx.get(), nullptr, kind, resizes() ? options.largest : traced->shape());
        for (size_t i = 0; i + 1 < parts.size(); ++i) {
            outputs.push_back(full.new_like(parts[i].output));
            d_outputs.push_back(full.new_like(parts[i].output));
        }
    }
    state_buf.reset(ggml_backend_alloc_ctx_tensors(state_ctx.get(), backends.front().get()));
    if (state_buf == nullptr) {
        throw std::bad_alloc();
    }
    fill_state();
}

void trainer::fill_state() {
    std::vector<int32_t> ids(rows->ne[0]);
    for (size_t i = 0; i < ids.size(); ++i) {
        ids[i] = (int32_t) i;
    }
    ggml_backend_tensor_set(rows, ids.data(), 0, ids.size()*sizeof(int32_t));
    for (const auto & [w, f32] : unpacked) {  // both in memory of the CPU
        const ggml_to_float_t to_float = ggml_get_type_traits(w->type)->to_float;
        for (int64_t row = 0; row < ggml_nrows(w); ++row) {
            to_float(static_cast<const char *>(w->data) + row*w->nb[1], static_cast<float *>(f32->data) + row*w->ne[0], w->ne[0]);
        }
    }
}

void trainer::check_supported() {
    std::unordered_set<ggml_tensor *> wanted;
    for (const parameter & p : params) {
        wanted.insert(p.tensor);
    }
    std::unique_ptr<stage> s = new_stage(traced->shape(), false);
    cloner copy = new_cloner(*s);
    for (const auto & part : traced->segments()) {
        copy.clone(part);
    }
    const std::string op = autograd::first_unsupported(copy.nodes(), wanted);
    if (!op.empty()) {
        throw status_error(LUCIFER_STATUS_UNSUPPORTED, "the model cannot be trained: operation " + op + " has no gradient");
    }
}

// Each makes data travel to the CPU and back within a step.
void trainer::count_fallbacks(const graphs & g) {
    if (backends.size() == 1) {
        return;
    }
    std::vector<const stage *> stages = { g.train_whole.get(), g.head_train.get() };
    for (const auto & s : g.backward_layers) {
        stages.push_back(s.get());
    }
    std::map<std::string, int32_t> missing;
    for (const stage * s : stages) {
        for (int i = 0; s != nullptr && i < ggml_graph_n_nodes(s->graph); ++i) {
            ggml_tensor * t = ggml_graph_node(s->graph, i);
            if (!ggml_backend_supports_op(backends.front().get(), t)) {
                ++missing[ggml_op_desc(t)];
                ++fallbacks;
            }
        }
    }
    for (const auto & [op, count] : missing) {
        log_line(GGML_LOG_LEVEL_WARN, std::string("training: ") + ggml_backend_name(backends.front().get()) + " cannot compute " + op + ", the CPU does it "
                 + std::to_string(count) + " times a step");
    }
}

trainer::graphs & trainer::graphs_for(const batch_shape & shape) {
    std::unique_ptr<graphs> & g = sizes[{ shape.rows, shape.outputs }];
    if (g == nullptr) {
        auto made = std::make_unique<graphs>();
        made->shape = shape;
        options.memory == memory_mode::whole ? build_whole(*made) : build_layers(*made);
        g = std::move(made);
    }
    return *g;
}

cloner trainer::new_cloner(const stage & s) const {
    cloner copy(*traced, s.ctx.get(), rows, kind, s.shape);
    for (const auto & [w, f32] : unpacked) {
        copy.replace(w, f32);
    }
    return copy;
}

std::unique_ptr<trainer::stage> trainer::new_stage(const batch_shape & shape, bool training) const {
    auto s = std::make_unique<stage>();
    s->shape    = shape;
    s->training = training;
    s->ctx.reset(ggml_init({ ggml_tensor_overhead()*MAX_NODES + ggml_graph_overhead_custom(MAX_NODES, false), nullptr, true }));
    s->graph = ggml_new_graph_custom(s->ctx.get(), MAX_NODES, false);
    return s;
}

// --- building ---------------------------------------------------------------------------------------------------------

// Copies segments [first, last), with leaves of its own for the inputs, and dropout in front of the adapters.
void trainer::add_trunk(stage & s, cloner & copy, size_t first, size_t last) const {
    for (const auto & [leaf, in] : traced->inputs()) {
        (void) in;
        s.inputs.emplace_back(leaf, copy.clone_input(leaf));
    }
    for (size_t i = first; i < last; ++i) {
        copy.clone(traced->segments()[i]);
    }
    if (!s.training || options.dropout <= 0.0f) {
        return;
    }
    const std::vector<ggml_tensor *> cloned = copy.nodes();  // insert_before changes the original
    for (ggml_tensor * t : cloned) {
        if (is_product(t) && is_adapter_tensor(t->src[0]) && std::strstr(t->src[0]->name, ".lora_a") != nullptr) {
            ggml_tensor * mask = ggml_dup_tensor(s.ctx.get(), t->src[1]);
            ggml_set_input(mask);
            s.dropouts.push_back(mask);
            copy.insert_before(t, t->src[1] = ggml_mul(s.ctx.get(), t->src[1], mask));
        }
    }
}

// Logits and loss in chunks of rows, each with its backward pass right behind it, so that one chunk's logits are in memory
// at a time. Returns the gradient with respect to hidden [n_embd, n_outputs], nullptr without training.
ggml_tensor * trainer::add_head(stage & s, ggml_tensor * hidden) const {
    ggml_context * ctx    = s.ctx.get();
    const auto &   part   = traced->segments().back();
    const int64_t  n      = s.shape.outputs;
    const int64_t  n_vocab = traced->n_vocab();
    const int64_t  bytes  = options.memory == memory_mode::whole ? HEAD_BYTES_WHOLE : HEAD_BYTES_LAYER;
    const int64_t  chunk  = std::min(n, std::max(HEAD_ROWS, bytes/(n_vocab*4)));
    ggml_tensor *  d_hidden = nullptr;

    for (int64_t begin = 0; begin < n; begin += chunk) {
        const int64_t c = std::min(chunk, n - begin);
        ggml_tensor * x = ggml_view_2d(ctx, hidden, hidden->ne[0], c, hidden->nb[1], begin*hidden->nb[1]);
        cloner copy = new_cloner(s);
        copy.replace(traced->segments()[traced->segments().size() - 2].output, x);
        copy.clone_head(part, c);
        ggml_tensor * logits = copy.copy_of(part.output);  // [n_vocab, c]

        ggml_tensor * ids = ggml_new_tensor_1d(ctx, GGML_TYPE_I32, c);
        ggml_tensor * w   = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, 1, c);
        ggml_set_input(ids);
        ggml_set_input(w);
        s.label_ids.push_back(ids);
        s.weights.push_back(w);

        ggml_tensor * p    = ggml_reshape_2d(ctx, ggml_soft_max(ctx, logits), 1, n_vocab*c);
        ggml_tensor * pick = ggml_get_rows(ctx, p, ids);  // [1, c]: probability of each label
        ggml_tensor * loss = ggml_sum(ctx, ggml_mul(ctx, ggml_log(ctx, ggml_clamp(ctx, pick, 1e-37f, 1.0f)), w));
        ggml_set_output(loss);
        s.losses.push_back(loss);
        ggml_build_forward_expand(s.graph, loss);
        if (!s.training) {
            continue;
        }
        ggml_tensor * scaled = ggml_new_tensor_2d(ctx, GGML_TYPE_F32, 1, c);
        ggml_set_input(scaled);
        s.scaled.push_back(scaled);
        // d nll/d logits = softmax - onehot(label)
        ggml_tensor * d = ggml_reshape_2d(ctx, ggml_set_rows(ctx, p, ggml_scale_bias(ctx, pick, 1.0f, -1.0f), ids), n_vocab, c);

        autograd back(ctx, rows, kind == arithmetic::packed);
        for (const auto & [f32, weight] : copy.dequantized()) {
            back.stands_for(f32, weight);
        }
        for (const parameter & prm : params) {
            back.want(prm.tensor);
        }
        back.want(x);
        back.seed(logits, ggml_mul(ctx, d, scaled));
        back.run(copy.nodes());

        ggml_tensor * dx = back.gradient(x);
        ggml_build_forward_expand(s.graph, dx);
        d_hidden = d_hidden == nullptr ? dx : ggml_concat(ctx, d_hidden, dx, 1);
        for (const parameter & prm : params) {
            if (ggml_tensor * g = back.gradient(prm.tensor)) {
                ggml_tensor *& sum = s.gradients[prm.tensor];
                sum = sum == nullptr ? g : ggml_add(ctx, sum, g);
                ggml_build_forward_expand(s.graph, sum);
            }
        }
    }
    return d_hidden;
}

// Gradients of the adapter tensors in the copied nodes, and of input (into d_input) when it is not nullptr.
void trainer::add_backward(stage & s, cloner & copy, ggml_tensor * end, ggml_tensor * d_end, ggml_tensor * input, ggml_tensor * d_input) const {
    ggml_context * ctx = s.ctx.get();
    autograd back(ctx, rows, kind == arithmetic::packed);
    for (const auto & [f32, weight] : copy.dequantized()) {
        back.stands_for(f32, weight);
    }
    for (const parameter & p : params) {
        back.want(p.tensor);
    }
    if (input != nullptr) {
        back.want(input);
    }
    back.seed(end, d_end);
    back.run(copy.nodes());
    for (const parameter & p : params) {
        if (ggml_tensor * g = back.gradient(p.tensor)) {
            ggml_tensor *& sum = s.gradients[p.tensor];
            sum = sum == nullptr ? g : ggml_add(ctx, sum, g);
        }
    }
    if (input != nullptr) {
        ggml_build_forward_expand(s.graph, ggml_cpy(ctx, back.gradient(input), d_input));
    }
}

void trainer::finish(stage & s) const {
    for (const auto & [t, g] : s.gradients) {
        (void) t;
        ggml_set_output(g);
        ggml_build_forward_expand(s.graph, g);
    }
}

void trainer::build_whole(graphs & g) const {
    const size_t n_trunk = traced->segments().size() - 1;
    for (bool training : { true, false }) {
        std::unique_ptr<stage> s = new_stage(g.shape, training);
        cloner copy = new_cloner(*s);
        add_trunk(*s, copy, 0, n_trunk);
        ggml_tensor * hidden = copy.copy_of(traced->segments()[n_trunk - 1].output);
        ggml_build_forward_expand(s->graph, hidden);
        ggml_tensor * d_hidden = add_head(*s, hidden);
        if (training) {
            add_backward(*s, copy, hidden, d_hidden, nullptr, nullptr);
            finish(*s);
        }
        (training ? g.train_whole : g.eval_whole) = std::move(s);
    }
}

// Segment i, reading what the one before it left in outputs.
ggml_tensor * trainer::add_layer(stage & s, cloner & copy, size_t i) const {
    if (i > 0) {
        ggml_tensor * before = traced->segments()[i - 1].output;
        copy.replace(before, copy.part_like(before, outputs[i - 1]));
    }
    add_trunk(s, copy, i, i + 1);
    return copy.copy_of(traced->segments()[i].output);
}

void trainer::build_layers(graphs & g) const {
    const auto & parts   = traced->segments();
    const size_t n_trunk = parts.size() - 1;
    bool         adapted = false;  // this segment or an earlier one has adapter tensors
    for (size_t i = 0; i < n_trunk; ++i) {
        std::unique_ptr<stage> forward = new_stage(g.shape, false);
        cloner forward_copy = new_cloner(*forward);
        ggml_tensor * out = add_layer(*forward, forward_copy, i);
        ggml_build_forward_expand(forward->graph, ggml_cpy(forward->ctx.get(), out, forward_copy.part_like(parts[i].output, outputs[i])));
        g.forward_layers.push_back(std::move(forward));

        std::unique_ptr<stage> backward = new_stage(g.shape, true);
        cloner copy = new_cloner(*backward);
        out = add_layer(*backward, copy, i);
        const bool below = adapted;
        adapted = adapted || std::any_of(copy.nodes().begin(), copy.nodes().end(),
                                         [](const ggml_tensor * t) { return is_product(t) && is_adapter_tensor(t->src[0]); });
        if (adapted) {
            ggml_tensor * input   = below ? copy.copy_of(parts[i - 1].output) : nullptr;
            ggml_tensor * d_input = below ? copy.part_like(parts[i - 1].output, d_outputs[i - 1]) : nullptr;
            add_backward(*backward, copy, out, copy.part_like(parts[i].output, d_outputs[i]), input, d_input);
            finish(*backward);
        } else {
            backward = nullptr;
        }
        g.backward_layers.push_back(std::move(backward));
    }
    for (bool training : { true, false }) {
        std::unique_ptr<stage> s = new_stage(g.shape, training);
        const cloner part = new_cloner(*s);
        ggml_tensor * d_hidden = add_head(*s, part.part_like(parts[n_trunk - 1].output, outputs.back()));
        if (training) {
            ggml_build_forward_expand(s->graph, ggml_cpy(s->ctx.get(), d_hidden, part.part_like(parts[n_trunk - 1].output, d_outputs.back())));
            finish(*s);
        }
        (training ? g.head_train : g.head_eval) = std::move(s);
    }
}

// --- running ----------------------------------------------------------------------------------------------------------

// Gives the stage's tensors memory; another stage's tensors lose theirs. A stage that has it already keeps it.
void trainer::allocate(stage & s) {
    if (sched == nullptr) {
        allocate_on_cpu(s);
        return;
    }
    if (allocated == &s) {
        return;
    }
    ggml_backend_sched_reset(sched.get());
    s.remember_sources();
    s.forget_memory();
    if (!ggml_backend_sched_alloc_graph(sched.get(), s.graph)) {
        allocated = nullptr;
        throw std::bad_alloc();
    }
    allocated = &s;
}

// Places are planned once, unless a later stage needs more memory than there is.
void trainer::allocate_on_cpu(stage & s) {
    if (s.generation == generation) {
        return;
    }
    s.forget_memory();
    const size_t before = ggml_gallocr_get_buffer_size(memory.get(), 0);
    if (!ggml_gallocr_reserve(memory.get(), s.graph) || !ggml_gallocr_alloc_graph(memory.get(), s.graph)) {
        throw std::bad_alloc();
    }
    generation += ggml_gallocr_get_buffer_size(memory.get(), 0) != before ? 1 : 0;
    s.generation = generation;
}

void trainer::compute(stage & s) {
    const ggml_status status = sched != nullptr ? ggml_backend_sched_graph_compute(sched.get(), s.graph)
                                                : ggml_backend_graph_compute(backends.front().get(), s.graph);
    if (status != GGML_STATUS_SUCCESS) {
        throw std::runtime_error("computing a training graph failed");
    }
}

void trainer::fill(stage & s, const supervised_batch & batch) {
    const auto set = [](ggml_tensor * t, const auto & values) {
        if (t->buffer != nullptr) {  // leaves that this graph does not use get no memory
            ggml_backend_tensor_set(t, values.data(), 0, ggml_nbytes(t));
        }
    };
    for (const auto & [recorded, own] : s.inputs) {
        if (own->buffer != nullptr) {
            set(own, traced->content(recorded, own, batch.batch));
        }
    }
    size_t row = 0;
    for (size_t k = 0; k < s.label_ids.size(); ++k) {
        const size_t c = s.label_ids[k]->ne[0];
        std::vector<int32_t> ids(c);
        std::vector<float>   scaled(c);
        std::vector<float>   negative(c);
        for (size_t i = 0; i < c; ++i, ++row) {
            ids[i]      = (int32_t) ((int64_t) i*traced->n_vocab() + batch.labels[row]);
            scaled[i]   = batch.weights[row]*scaler.value();
            negative[i] = -batch.weights[row];
        }
        set(s.label_ids[k], ids);
        set(s.weights[k], negative);
        if (s.training) {
            set(s.scaled[k], scaled);
        }
    }
    std::uniform_real_distribution<float> uniform(0.0f, 1.0f);
    for (ggml_tensor * mask : s.dropouts) {
        std::vector<float> values(ggml_nelements(mask));
        for (float & v : values) {
            v = uniform(random) < options.dropout ? 0.0f : 1.0f/(1.0f - options.dropout);
        }
        set(mask, values);
    }
}

void trainer::run(stage & s, const supervised_batch & batch) {
    allocate(s);
    fill(s, batch);
    compute(s);
}

void trainer::collect(stage & s) {
    for (parameter & p : params) {
        const auto it = s.gradients.find(p.tensor);
        if (it != s.gradients.end()) {
            ggml_backend_tensor_get(it->second, p.pending.data(), 0, p.pending.size()*sizeof(float));
        }
    }
}

static double sum_of(const std::vector<ggml_tensor *> & scalars) {
    double sum = 0;
    for (ggml_tensor * t : scalars) {
        float v;
        ggml_backend_tensor_get(t, &v, 0, sizeof(v));
        sum += v;
    }
    return sum;
}

bool trainer::run_whole(graphs & g, const supervised_batch & batch, bool training, double & loss) {
    stage & s = training ? *g.train_whole : *g.eval_whole;
    run(s, batch);
    if (training) {
        collect(s);
    }
    loss = sum_of(s.losses);
    return true;
}

bool trainer::run_layers(graphs & g, const supervised_batch & batch, bool training, const int32_t * cancel, double & loss) {
    const auto cancelled = [&] { return cancel != nullptr && *const_cast<const volatile int32_t *>(cancel) != 0; };
    for (const auto & s : g.forward_layers) {
        if (cancelled()) {
            return false;
        }
        run(*s, batch);
    }
    stage & head = training ? *g.head_train : *g.head_eval;
    run(head, batch);
    loss = sum_of(head.losses);
    if (!training) {
        return true;
    }
    collect(head);
    for (auto it = g.backward_layers.rbegin(); it != g.backward_layers.rend() && *it != nullptr; ++it) {
        if (cancelled()) {
            return false;
        }
        run(**it, batch);
        collect(**it);
    }
    return true;
}

bool trainer::run_all(const supervised_batch & batch, bool training, const int32_t * cancel, double & loss) {
    graphs & g = graphs_for({ (int32_t) batch.batch.tokens.size(), (int32_t) batch.batch.outputs.size() });
    return options.memory == memory_mode::whole ? run_whole(g, batch, training, loss) : run_layers(g, batch, training, cancel, loss);
}

// Of the micro-batch; where nothing is scaled, nobody asks.
bool trainer::overflowed() const {
    return scaler.value() > 1.0f && std::any_of(params.begin(), params.end(), [](const parameter & p) {
        return !std::isfinite(gemm_best().sum_of_squares(p.pending.data(), (int64_t) p.pending.size()));
    });
}

bool trainer::accumulate(const supervised_batch & batch, uint32_t dropout_seed, const int32_t * cancel, double & loss) {
    do {
        random.seed(dropout_seed);
        if (!run_all(batch, true, cancel, loss)) {
            return false;
        }
    } while (overflowed() && scaler.shrink());
    scaler.keep();
    const float factor = 1.0f/scaler.value();  // a power of two
    for (parameter & p : params) {
        for (size_t i = 0; i < p.gradient.size(); ++i) {
            p.gradient[i] += p.pending[i]*factor;
        }
    }
    for (float w : batch.weights) {
        supervised += w;
    }
    return true;
}

bool trainer::evaluate(const supervised_batch & batch, const int32_t * cancel, double & loss) { return run_all(batch, false, cancel, loss); }

// --- optimizer --------------------------------------------------------------------------------------------------------

void trainer::clear_gradients() {
    for (parameter & p : params) {
        std::fill(p.gradient.begin(), p.gradient.end(), 0.0f);
    }
    supervised = 0;
}

double trainer::gradient_norm() const {
    double sum = 0;
    for (const parameter & p : params) {
        sum += gemm_best().sum_of_squares(p.gradient.data(), (int64_t) p.gradient.size());
    }
    return std::sqrt(sum)/supervised;
}

update_result trainer::update(const adamw_options & o) {
    const double norm = gradient_norm();
    if (!std::isfinite(norm)) {
        clear_gradients();
        return { norm, true };
    }
    // torch.nn.utils.clip_grad_norm_: factor max/(norm + 1e-6), never above 1
    const double clip = o.max_grad_norm > 0 ? std::min(1.0, o.max_grad_norm/(norm + 1e-6)) : 1.0;
    ++steps;
    for (parameter & p : params) {
        apply_adamw(p, o, clip/supervised);
    }
    clear_gradients();
    return { norm, false };
}

void trainer::apply_adamw(parameter & p, const adamw_options & o, double scale) {
    const adamw_step step = {
        (float) scale, o.beta1, o.beta2, o.epsilon, 1.0f - o.learning_rate*o.weight_decay,
        (float) (o.learning_rate/(1.0 - std::pow((double) o.beta1, (double) steps))),
        (float) std::sqrt(1.0 - std::pow((double) o.beta2, (double) steps)),
    };
    std::vector<float> w(p.gradient.size());
    ggml_backend_tensor_get(p.tensor, w.data(), 0, w.size()*sizeof(float));
    gemm_best().adamw(step, p.gradient.data(), w.data(), p.m.data(), p.v.data(), (int64_t) w.size());
    ggml_backend_tensor_set(p.tensor, w.data(), 0, w.size()*sizeof(float));
}

// --- checks -----------------------------------------------------------------------------------------------------------

// On the recorded batch; where graphs are made for other shapes, also on its beginning.
trainer::check trainer::verify() {
    check result = compare(traced->shape());
    if (resizes()) {
        const int32_t rows = traced->shape().rows/3;
        const auto &  all  = traced->batch().outputs;
        const auto    used = std::lower_bound(all.begin(), all.end(), rows) - all.begin();
        const check   part = compare({ rows, (int32_t) used });
        result = { std::max(result.difference, part.difference), std::max(result.magnitude, part.magnitude) };
    }
    traced->forget_logits();
    return result;
}

// Rows see no later ones, so that the first rows of the recorded batch have the same logits on their own.
trainer::check trainer::compare(const batch_shape & shape) {
    packed_batch batch = traced->batch();
    for (std::vector<int32_t> * values : { &batch.tokens, &batch.positions, &batch.sequences }) {
        values->resize(shape.rows);
    }
    batch.outputs.resize(shape.outputs);

    std::unique_ptr<stage> s = new_stage(shape, false);
    cloner copy(*traced, s->ctx.get(), rows, arithmetic::native, shape);
    add_trunk(*s, copy, 0, traced->segments().size());
    ggml_tensor * logits = copy.copy_of(traced->segments().back().output);
    ggml_set_output(logits);
    ggml_build_forward_expand(s->graph, logits);
    run(*s, { batch, {}, {} });

    std::vector<float> own(ggml_nelements(logits));
    ggml_backend_tensor_get(logits, own.data(), 0, own.size()*sizeof(float));
    if (sched != nullptr) {
        allocated = nullptr;  // the stage ends here
        ggml_backend_sched_reset(sched.get());
    }
    check result = { 0, 0 };
    for (size_t i = 0; i < own.size(); ++i) {
        result.difference = std::max(result.difference, (double) std::fabs(own[i] - traced->logits()[i]));
        result.magnitude  = std::max(result.magnitude, (double) std::fabs(traced->logits()[i]));
    }
    return result;
}

int64_t trainer::compute_bytes() const {
    if (sched == nullptr) {
        return (int64_t) ggml_gallocr_get_buffer_size(memory.get(), 0);
    }
    int64_t bytes = 0;
    for (const auto & backend : backends) {
        bytes += (int64_t) ggml_backend_sched_get_buffer_size(sched.get(), backend.get());
    }
    return bytes;
}

}  // namespace lucifer
