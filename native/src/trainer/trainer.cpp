#include "trainer.h"

#include "autograd.h"
#include "guard.h"
#include "log.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <stdexcept>

namespace lucifer {

static const size_t MAX_NODES = 65536;
static const size_t HEAD_CHUNK_BYTES = 64u << 20;  // of one chunk of logits

static bool is_product(const ggml_tensor * t) { return t->op == GGML_OP_MUL_MAT || product_form(t) == product::forward; }

// A graph with its own tensors, and the leaves that are filled before it runs.
struct trainer::stage {
    bool             training;
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

trainer::trainer(llama_model * model, llama_adapter_lora * adapter, const trainer_options & options)
    : options(options),
      traced(std::make_unique<trace>(model, adapter, options.n_tokens, options.n_outputs, options.n_threads)) {
    collect_parameters();
    open_backends();
    make_state();
    check_supported();
    if (options.memory == memory_mode::whole) {
        build_whole();
    } else {
        build_layers();
    }
    count_fallbacks();
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
    kind = !options.exact ? arithmetic::native : devices.size() > 1 ? arithmetic::exact : arithmetic::packed;
    sched.reset(ggml_backend_sched_new(raw.data(), nullptr, (int) raw.size(), MAX_NODES, false, false));
}

void trainer::make_state() {
    const auto & parts = traced->segments();
    state_ctx.reset(ggml_init({ ggml_tensor_overhead()*(2*parts.size() + 8), nullptr, true }));
    rows = ggml_new_tensor_1d(state_ctx.get(), GGML_TYPE_I32, traced->max_rows());
    if (options.memory == memory_mode::layer) {
        for (size_t i = 0; i + 1 < parts.size(); ++i) {
            outputs.push_back(ggml_dup_tensor(state_ctx.get(), parts[i].output));
            d_outputs.push_back(ggml_dup_tensor(state_ctx.get(), parts[i].output));
        }
    }
    state_buf.reset(ggml_backend_alloc_ctx_tensors(state_ctx.get(), backends.front().get()));
    std::vector<int32_t> ids(rows->ne[0]);
    for (size_t i = 0; i < ids.size(); ++i) {
        ids[i] = (int32_t) i;
    }
    ggml_backend_tensor_set(rows, ids.data(), 0, ids.size()*sizeof(int32_t));
}

void trainer::check_supported() {
    std::unordered_set<ggml_tensor *> wanted;
    for (const parameter & p : params) {
        wanted.insert(p.tensor);
    }
    std::unique_ptr<stage> s = new_stage(false);
    cloner copy(*traced, s->ctx.get(), rows, kind);
    for (const auto & part : traced->segments()) {
        copy.clone(part);
    }
    const std::string op = autograd::first_unsupported(copy.nodes(), wanted);
    if (!op.empty()) {
        throw status_error(LUCIFER_STATUS_UNSUPPORTED, "the model cannot be trained: operation " + op + " has no gradient");
    }
}

// Each makes data travel to the CPU and back within a step.
void trainer::count_fallbacks() {
    if (backends.size() == 1) {
        return;
    }
    std::vector<const stage *> stages = { train_whole.get(), head_train.get() };
    for (const auto & s : backward_layers) {
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

std::unique_ptr<trainer::stage> trainer::new_stage(bool training) const {
    auto s = std::make_unique<stage>();
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
    const int64_t  n      = traced->n_outputs();
    const int64_t  n_vocab = traced->n_vocab();
    const int64_t  chunk  = std::clamp<int64_t>((int64_t) HEAD_CHUNK_BYTES/(n_vocab*4), 1, n);
    ggml_tensor *  d_hidden = nullptr;

    for (int64_t begin = 0; begin < n; begin += chunk) {
        const int64_t c = std::min(chunk, n - begin);
        ggml_tensor * x = ggml_view_2d(ctx, hidden, hidden->ne[0], c, hidden->nb[1], begin*hidden->nb[1]);
        cloner copy(*traced, ctx, rows, kind);
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

void trainer::finish(stage & s) {
    for (const auto & [t, g] : s.gradients) {
        (void) t;
        ggml_set_output(g);
        ggml_build_forward_expand(s.graph, g);
    }
}

void trainer::build_whole() {
    const size_t n_trunk = traced->segments().size() - 1;
    for (bool training : { true, false }) {
        std::unique_ptr<stage> s = new_stage(training);
        cloner copy(*traced, s->ctx.get(), rows, kind);
        add_trunk(*s, copy, 0, n_trunk);
        ggml_tensor * hidden = copy.copy_of(traced->segments()[n_trunk - 1].output);
        ggml_build_forward_expand(s->graph, hidden);
        ggml_tensor * d_hidden = add_head(*s, hidden);
        if (training) {
            add_backward(*s, copy, hidden, d_hidden, nullptr, nullptr);
            finish(*s);
        }
        (training ? train_whole : eval_whole) = std::move(s);
    }
}

void trainer::build_layers() {
    const size_t n_trunk = traced->segments().size() - 1;
    const auto   add_layer = [&](stage & s, cloner & copy, size_t i) {
        if (i > 0) {
            copy.replace(traced->segments()[i - 1].output, outputs[i - 1]);
        }
        add_trunk(s, copy, i, i + 1);
        return copy.copy_of(traced->segments()[i].output);
    };
    bool adapted = false;  // this segment or an earlier one has adapter tensors
    for (size_t i = 0; i < n_trunk; ++i) {
        std::unique_ptr<stage> forward = new_stage(false);
        cloner forward_copy(*traced, forward->ctx.get(), rows, kind);
        ggml_tensor * out = add_layer(*forward, forward_copy, i);
        ggml_build_forward_expand(forward->graph, ggml_cpy(forward->ctx.get(), out, outputs[i]));
        forward_layers.push_back(std::move(forward));

        std::unique_ptr<stage> backward = new_stage(true);
        cloner copy(*traced, backward->ctx.get(), rows, kind);
        out = add_layer(*backward, copy, i);
        const bool below = adapted;
        adapted = adapted || std::any_of(copy.nodes().begin(), copy.nodes().end(),
                                         [](const ggml_tensor * t) { return is_product(t) && is_adapter_tensor(t->src[0]); });
        if (adapted) {
            add_backward(*backward, copy, out, d_outputs[i], below ? outputs[i - 1] : nullptr, below ? d_outputs[i - 1] : nullptr);
            finish(*backward);
        } else {
            backward = nullptr;
        }
        backward_layers.push_back(std::move(backward));
    }
    for (bool training : { true, false }) {
        std::unique_ptr<stage> s = new_stage(training);
        ggml_tensor * d_hidden = add_head(*s, outputs.back());
        if (training) {
            ggml_build_forward_expand(s->graph, ggml_cpy(s->ctx.get(), d_hidden, d_outputs.back()));
            finish(*s);
        }
        (training ? head_train : head_eval) = std::move(s);
    }
}

// --- running ----------------------------------------------------------------------------------------------------------

// Gives the stage's tensors memory; another stage's tensors lose theirs. A stage that has it already keeps it.
void trainer::allocate(stage & s) {
    if (allocated == &s) {
        return;
    }
    ggml_backend_sched_reset(sched.get());
    if (backends.size() > 1) {
        s.remember_sources();
    }
    s.forget_memory();
    if (!ggml_backend_sched_alloc_graph(sched.get(), s.graph)) {
        allocated = nullptr;
        throw std::bad_alloc();
    }
    allocated = &s;
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
            scaled[i]   = batch.weights[row]*loss_scale;
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
    if (ggml_backend_sched_graph_compute(sched.get(), s.graph) != GGML_STATUS_SUCCESS) {
        throw std::runtime_error("computing a training graph failed");
    }
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

bool trainer::run_whole(const supervised_batch & batch, bool training, double & loss) {
    stage & s = training ? *train_whole : *eval_whole;
    run(s, batch);
    if (training) {
        collect(s);
    }
    loss = sum_of(s.losses);
    return true;
}

bool trainer::run_layers(const supervised_batch & batch, bool training, const int32_t * cancel, double & loss) {
    const auto cancelled = [&] { return cancel != nullptr && *const_cast<const volatile int32_t *>(cancel) != 0; };
    for (const auto & s : forward_layers) {
        if (cancelled()) {
            return false;
        }
        run(*s, batch);
    }
    stage & head = training ? *head_train : *head_eval;
    run(head, batch);
    loss = sum_of(head.losses);
    if (!training) {
        return true;
    }
    collect(head);
    for (auto it = backward_layers.rbegin(); it != backward_layers.rend() && *it != nullptr; ++it) {
        if (cancelled()) {
            return false;
        }
        run(**it, batch);
        collect(**it);
    }
    return true;
}

bool trainer::run_all(const supervised_batch & batch, bool training, const int32_t * cancel, double & loss) {
    return options.memory == memory_mode::whole ? run_whole(batch, training, loss) : run_layers(batch, training, cancel, loss);
}

bool trainer::accumulate(const supervised_batch & batch, uint32_t dropout_seed, const int32_t * cancel, double & loss) {
    random.seed(dropout_seed);
    if (!run_all(batch, true, cancel, loss)) {
        return false;
    }
    for (parameter & p : params) {
        for (size_t i = 0; i < p.gradient.size(); ++i) {
            p.gradient[i] += p.pending[i]/loss_scale;
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
        for (float g : p.gradient) {
            sum += (double) g*g;
        }
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

// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2; order of operations as torch.optim.AdamW.
void trainer::apply_adamw(parameter & p, const adamw_options & o, double scale) {
    std::vector<float> w(p.gradient.size());
    ggml_backend_tensor_get(p.tensor, w.data(), 0, w.size()*sizeof(float));
    const double correction1 = 1.0 - std::pow((double) o.beta1, (double) steps);
    const double correction2 = std::sqrt(1.0 - std::pow((double) o.beta2, (double) steps));
    const float  step_size   = (float) (o.learning_rate/correction1);
    for (size_t i = 0; i < w.size(); ++i) {
        const float g = (float) (p.gradient[i]*scale);
        w[i]  *= 1.0f - o.learning_rate*o.weight_decay;
        p.m[i] = o.beta1*p.m[i] + (1.0f - o.beta1)*g;
        p.v[i] = o.beta2*p.v[i] + (1.0f - o.beta2)*g*g;
        w[i]  -= step_size*p.m[i]/((float) (std::sqrt(p.v[i])/correction2) + o.epsilon);
    }
    ggml_backend_tensor_set(p.tensor, w.data(), 0, w.size()*sizeof(float));
}

// --- checks -----------------------------------------------------------------------------------------------------------

trainer::check trainer::verify() {
    std::unique_ptr<stage> s = new_stage(false);
    cloner copy(*traced, s->ctx.get(), rows, arithmetic::native);
    add_trunk(*s, copy, 0, traced->segments().size());
    ggml_tensor * logits = copy.copy_of(traced->segments().back().output);
    ggml_set_output(logits);
    ggml_build_forward_expand(s->graph, logits);
    run(*s, { traced->batch(), {}, {} });

    std::vector<float> own(traced->logits().size());
    ggml_backend_tensor_get(logits, own.data(), 0, own.size()*sizeof(float));
    allocated = nullptr;  // the stage ends here
    ggml_backend_sched_reset(sched.get());
    check result = { 0, 0 };
    for (size_t i = 0; i < own.size(); ++i) {
        result.difference = std::max(result.difference, (double) std::fabs(own[i] - traced->logits()[i]));
        result.magnitude  = std::max(result.magnitude, (double) std::fabs(traced->logits()[i]));
    }
    return result;
}

int64_t trainer::compute_bytes() const {
    int64_t bytes = 0;
    for (const auto & backend : backends) {
        bytes += (int64_t) ggml_backend_sched_get_buffer_size(sched.get(), backend.get());
    }
    return bytes;
}

}  // namespace lucifer
