// A trainer's set-up, its optimizer, and the checks of what it computes.

#include "trainer.h"

#include "autograd.h"
#include "flash-attention.h"
#include "gemm.h"
#include "guard.h"
#include "log.h"
#include "parallel.h"
#include "trainer-stage.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>
#include <stdexcept>

namespace lucifer {

static const int64_t UNPACKED_BYTES = 64 << 20;  // of weights that are kept as F32 beside the model's own

// A few rows are recorded where that is enough, for llama.cpp computes them: with the weights' types on the CPU.
trainer::trainer(llama_model * model, llama_adapter_lora * adapter, const trainer_options & options) : options(options) {
    start(model, adapter, options.wanted != arithmetic::native);
    if (options.wanted != arithmetic::native && !resizes()) {
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
        params.push_back({ name, t, std::vector<float>(n), nullptr, nullptr, std::vector<float>(n), std::vector<float>(n) });
    }
    stage_parameters();
}

// Memory that the first device copies from and to at full speed, where it has such.
void trainer::stage_parameters() {
    ggml_backend_dev_t         device = ggml_backend_get_device(backends.front().get());
    ggml_backend_buffer_type_t type   = ggml_backend_dev_host_buffer_type(device);
    if (type == nullptr) {
        type = ggml_backend_get_default_buffer_type(backends.back().get());  // the CPU's
    }
    size_t n = 0;
    for (const parameter & p : params) {
        n += p.size()*(ggml_backend_buffer_is_host(p.tensor->buffer) ? 1 : 2);
        n_elements += (int64_t) p.size();
    }
    staging.reset(ggml_backend_buft_alloc_buffer(type, n*sizeof(float)));
    if (staging == nullptr) {
        throw std::bad_alloc();
    }
    ggml_backend_buffer_clear(staging.get(), 0);
    float * next = static_cast<float *>(ggml_backend_buffer_get_base(staging.get()));
    for (parameter & p : params) {
        p.pending = next;
        next += p.size();
        if (ggml_backend_buffer_is_host(p.tensor->buffer)) {
            p.value = static_cast<float *>(p.tensor->data);
        } else {
            p.value = next;
            next += p.size();
            ggml_backend_tensor_get(p.tensor, p.value, 0, p.size()*sizeof(float));
        }
    }
}

void trainer::put_value(parameter & p) {
    if (p.value != p.tensor->data) {
        ggml_backend_tensor_set(p.tensor, p.value, 0, p.size()*sizeof(float));
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
    memory.reset(ggml_gallocr_new(ggml_backend_get_default_buffer_type(raw.front())));
    if (raw.size() > 1) {
        sched.reset(ggml_backend_sched_new(raw.data(), nullptr, (int) raw.size(), MAX_NODES, false, false));
    }
    kind = options.wanted == arithmetic::native ? arithmetic::native
         : raw.size() == 1                      ? arithmetic::packed
         : options.wanted == arithmetic::mixed && has_mixed_products() ? arithmetic::mixed : arithmetic::exact;
    choose_attention();
}

void trainer::choose_attention() {
    using form = cloner::attention_form;
    ggml_backend_t device = backends.front().get();
    const bool     mixed  = kind == arithmetic::mixed;
    plain_attention    = mixed && supports_flash_attention(*traced, device) ? form::flash : form::recorded;
    training_attention = mixed && supports_block_attention(device) ? form::blocks : form::recorded;
}

bool trainer::is_cuda() const {
    return std::strcmp(ggml_backend_reg_name(ggml_backend_dev_backend_reg(ggml_backend_get_device(backends.front().get()))), "CUDA") == 0;
}

// Whether the first device multiplies by BF16, and brings F32 to it.
bool trainer::has_mixed_products() const {
    const ggml_context_ptr ctx(ggml_init({ 8*ggml_tensor_overhead(), nullptr, true }));
    ggml_tensor * square  = ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, 256, 256);
    ggml_tensor * half    = ggml_cast(ctx.get(), square, GGML_TYPE_BF16);
    ggml_tensor * turned  = ggml_cont(ctx.get(), ggml_transpose(ctx.get(), half));
    ggml_tensor * product = ggml_mul_mat(ctx.get(), turned, square);
    ggml_backend_t device = backends.front().get();
    return ggml_backend_supports_op(device, half) && ggml_backend_supports_op(device, turned) && ggml_backend_supports_op(device, product);
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
    state_ctx.reset(ggml_init({ ggml_tensor_overhead()*(2*parts.size() + weights.size() + traced->inputs().size() + 8), nullptr, true }));
    rows = ggml_new_tensor_1d(state_ctx.get(), GGML_TYPE_I32, traced->max_rows());
    for (ggml_tensor * w : weights) {
        unpacked.emplace_back(w, ggml_new_tensor(state_ctx.get(), GGML_TYPE_F32, GGML_MAX_DIMS, w->ne));
        ggml_set_name(unpacked.back().second, w->name);
    }
    if (sched != nullptr) {  // there is one shape, and the mask of its rows would travel to the device for each stage
        const cloner full(*traced, state_ctx.get(), nullptr, kind, traced->shape());
        for (const auto & [leaf, in] : traced->inputs()) {
            (void) in;
            shared.emplace_back(leaf, full.new_like(leaf));
        }
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
    std::unique_ptr<stage> s = new_stage(traced->shape(), true);
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

// --- optimizer --------------------------------------------------------------------------------------------------------

void trainer::clear_gradients() {
    parallel_for(options.n_threads, n_elements, params.size(), [&](size_t i) { std::fill(params[i].gradient.begin(), params[i].gradient.end(), 0.0f); });
    supervised = 0;
}

void trainer::gather(trainer & from) {
    parallel_for(options.n_threads, n_elements, params.size(), [&](size_t k) {
        const std::vector<float> & added = from.params[k].gradient;
        for (size_t i = 0; i < added.size(); ++i) {
            params[k].gradient[i] += added[i];
        }
    });
    supervised += from.supervised;
    from.clear_gradients();
}

void trainer::share(trainer & to) const {
    for (size_t k = 0; k < params.size(); ++k) {
        std::copy_n(params[k].value, params[k].size(), to.params[k].value);
        to.put_value(to.params[k]);
    }
}

double trainer::gradient_norm() const {
    std::vector<double> squares(params.size());
    parallel_for(options.n_threads, n_elements, params.size(), [&](size_t i) {
        squares[i] = gemm_best().sum_of_squares(params[i].gradient.data(), (int64_t) params[i].gradient.size());
    });
    return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0))/supervised;
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
    parallel_for(options.n_threads, n_elements, params.size(), [&](size_t i) { apply_adamw(params[i], o, clip/supervised); });
    for (parameter & p : params) {
        put_value(p);
    }
    clear_gradients();
    return { norm, false };
}

void trainer::apply_adamw(parameter & p, const adamw_options & o, double scale) const {
    const adamw_step step = {
        (float) scale, o.beta1, o.beta2, o.epsilon, 1.0f - o.learning_rate*o.weight_decay,
        (float) (o.learning_rate/(1.0 - std::pow((double) o.beta1, (double) steps))),
        (float) std::sqrt(1.0 - std::pow((double) o.beta2, (double) steps)),
    };
    gemm_best().adamw(step, p.gradient.data(), p.value, p.m.data(), p.v.data(), (int64_t) p.size());
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
    fill_shared(batch);
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
    int64_t bytes = (int64_t) ggml_gallocr_get_buffer_size(memory.get(), 0);
    for (const auto & backend : backends) {
        bytes += sched == nullptr ? 0 : (int64_t) ggml_backend_sched_get_buffer_size(sched.get(), backend.get());
    }
    return bytes;
}

}  // namespace lucifer
