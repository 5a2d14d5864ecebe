// The graphs that a trainer computes, built from the recorded one: of the whole model, or layer by layer.

#include "autograd.h"
#include "product.h"
#include "trainer-stage.h"

#include <algorithm>
#include <cstring>

namespace lucifer {

static const int64_t HEAD_BYTES_WHOLE = 64 << 20;  // of one chunk of logits
static const int64_t HEAD_BYTES_LAYER = 8 << 20;
static const int64_t HEAD_BYTES_DEVICE = 512 << 20; // there a chunk brings the output weights to another type and turns them
static const int64_t HEAD_ROWS        = 64;        // of the smallest chunk: for each, the output weights are read again

static bool is_product(const ggml_tensor * t) { return t->op == GGML_OP_MUL_MAT || product_form(t) == product::forward; }

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
    copy.use_attention(s.training ? training_attention : plain_attention);
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

// Copies segments [first, last), with leaves of its own for the inputs where these are not shared, and dropout in front of the adapters.
void trainer::add_trunk(stage & s, cloner & copy, size_t first, size_t last) const {
    if (sched != nullptr) {
        for (const auto & [leaf, own] : shared) {
            copy.replace(leaf, own);
        }
    } else {
        for (const auto & [leaf, in] : traced->inputs()) {
            (void) in;
            s.inputs.emplace_back(leaf, copy.clone_input(leaf));
        }
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

// The backward pass through what was copied, which wants the gradients of the adapter's tensors.
autograd trainer::backward_through(const cloner & copy, ggml_context * ctx) const {
    autograd back(ctx, rows, kind);
    back.fuse(is_cuda());
    for (const auto & [unpacked, weight] : copy.dequantized()) {
        back.stands_for(unpacked, weight);
    }
    for (const block_attention & part : copy.blocks()) {
        back.know(part);
    }
    for (const parameter & p : params) {
        back.want(p.tensor);
    }
    return back;
}

// Logits and loss in chunks of rows, each with its backward pass right behind it, so that one chunk's logits are in memory
// at a time. Returns the gradient with respect to hidden [n_embd, n_outputs], nullptr without training.
ggml_tensor * trainer::add_head(stage & s, ggml_tensor * hidden) const {
    ggml_context * ctx    = s.ctx.get();
    const auto &   part   = traced->segments().back();
    const int64_t  n      = s.shape.outputs;
    const int64_t  n_vocab = traced->n_vocab();
    const int64_t  bytes  = sched != nullptr ? HEAD_BYTES_DEVICE : options.memory == memory_mode::whole ? HEAD_BYTES_WHOLE : HEAD_BYTES_LAYER;
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

        autograd back = backward_through(copy, ctx);
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
    autograd back = backward_through(copy, ctx);
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

}  // namespace lucifer
