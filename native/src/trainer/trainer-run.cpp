// Running of a trainer's graphs: memory for them, their inputs, the order of stages, and what is collected from them.

#include "gemm.h"
#include "parallel.h"
#include "trainer-stage.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <new>
#include <stdexcept>

namespace lucifer {

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

// Gives the stage's tensors memory; another stage's tensors lose theirs. A stage that has it already keeps it.
void trainer::allocate(stage & s) {
    if (needs_one_device(s)) {
        allocate_on_one(s);
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

// Whether the first device can compute all of s, and holds what it reads: then nothing has to be planned anew, or copied, between stages.
bool trainer::needs_one_device(const stage & s) const {
    if (sched == nullptr || s.on_one) {
        return true;
    }
    if (!s.sources.empty()) {
        return false;  // has been planned by sched
    }
    ggml_backend_t device = backends.front().get();
    for (int i = 0; i < ggml_graph_n_nodes(s.graph); ++i) {
        const ggml_tensor * t = ggml_graph_node(s.graph, i);
        if (!ggml_backend_supports_op(device, t)) {
            return false;
        }
        for (const ggml_tensor * src : t->src) {
            const ggml_tensor * root = src != nullptr && src->view_src != nullptr ? src->view_src : src;
            if (root != nullptr && root->buffer != nullptr && !ggml_backend_supports_buft(device, ggml_backend_buffer_get_type(root->buffer))) {
                return false;
            }
        }
    }
    return true;
}

// Places are planned once, unless a later stage needs more memory than there is.
void trainer::allocate_on_one(stage & s) {
    s.on_one = true;
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
    const ggml_status status = s.on_one ? ggml_backend_graph_compute(backends.front().get(), s.graph)
                                        : ggml_backend_sched_graph_compute(sched.get(), s.graph);
    if (status != GGML_STATUS_SUCCESS) {
        throw std::runtime_error("computing a training graph failed");
    }
}

void trainer::fill_shared(const packed_batch & batch) {
    for (const auto & [recorded, own] : shared) {
        const auto content = traced->content(recorded, own, batch);
        ggml_backend_tensor_set(own, content.data(), 0, ggml_nbytes(own));
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
            ggml_backend_tensor_get(it->second, p.pending, 0, p.size()*sizeof(float));
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
    fill_shared(batch.batch);
    return options.memory == memory_mode::whole ? run_whole(g, batch, training, loss) : run_layers(g, batch, training, cancel, loss);
}

// Of the micro-batch; where nothing is scaled, nobody asks.
bool trainer::overflowed() const {
    if (scaler.value() <= 1.0f) {
        return false;
    }
    std::atomic<bool> found{false};
    parallel_for(options.n_threads, n_elements, params.size(), [&](size_t i) {
        if (!std::isfinite(gemm_best().sum_of_squares(params[i].pending, (int64_t) params[i].size()))) {
            found = true;
        }
    });
    return found;
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
    parallel_for(options.n_threads, n_elements, params.size(), [&](size_t k) {
        parameter & p = params[k];
        for (size_t i = 0; i < p.size(); ++i) {
            p.gradient[i] += p.pending[i]*factor;
        }
    });
    for (float w : batch.weights) {
        supervised += w;
    }
    return true;
}

bool trainer::evaluate(const supervised_batch & batch, const int32_t * cancel, double & loss) { return run_all(batch, false, cancel, loss); }

}  // namespace lucifer
