// The exported functions of LoRA training: argument checks and padding around class trainer.

#include "trainer.h"

#include "objects.h"
#include "threads.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace lucifer;

struct lucifer_trainer {
    std::unique_ptr<trainer> impl;
    lucifer_model *          model;
    trainer_options          options;
    trainer::check           check;
    const char *             subject;

    std::atomic<bool> poisoned{false};
    void poison() { poisoned = true; }
};

template <> int32_t lucifer::judged(const char * what, const lucifer_trainer & trainer, int32_t status) noexcept {
    return judged(what, trainer.model->links, status);
}

static void check_params(const lucifer_trainer_params & p, const lucifer_model & model) {
    if (p.n_tokens < 4 || p.n_tokens > 1 << 20) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_tokens is %d, expected 4 to %d", p.n_tokens, 1 << 20);
    }
    if (p.n_outputs < 1 || p.n_outputs > p.n_tokens) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_outputs is %d, expected 1 to n_tokens (%d)", p.n_outputs, p.n_tokens);
    }
    if (p.n_threads < 1 || p.n_threads > 512) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_threads is %d, expected 1 to 512", p.n_threads);
    }
    require_threads(p.n_threads);
    if (p.memory != LUCIFER_TRAINING_WHOLE && p.memory != LUCIFER_TRAINING_LAYER) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "memory is %d, expected LUCIFER_TRAINING_WHOLE or LUCIFER_TRAINING_LAYER", p.memory);
    }
    if (!(p.dropout >= 0.0f && p.dropout < 1.0f)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "dropout is %g, expected at least 0 and below 1", (double) p.dropout);
    }
    int exponent;
    if (p.loss_scale != 0.0f && (!(p.loss_scale >= 1.0f) || std::frexp(p.loss_scale, &exponent) != 0.5f)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "loss_scale is %g, expected a power of two from 1 on, or 0", (double) p.loss_scale);
    }
    if (llama_model_has_encoder(model.model.get()) || llama_model_is_recurrent(model.model.get()) ||
        llama_model_is_hybrid(model.model.get()) || llama_model_is_diffusion(model.model.get())) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "only decoder models with attention can be trained, %s is of another kind", model.path.c_str());
    }
}

static arithmetic arithmetic_of(int32_t wanted) {
    switch (wanted) {
        case LUCIFER_TRAINING_NATIVE: return arithmetic::native;
        case LUCIFER_TRAINING_EXACT:  return arithmetic::exact;
        case LUCIFER_TRAINING_MIXED:  return arithmetic::mixed;
        default:                      fail(LUCIFER_STATUS_INVALID_ARGUMENT, "arithmetic is %d, expected one of enum lucifer_training_arithmetic", wanted);
    }
}

int32_t lucifer_trainer_init(struct lucifer_model * model, struct lucifer_adapter * adapter, const struct lucifer_trainer_params * params,
                             struct lucifer_trainer ** out) {
    return guard_object("lucifer_trainer_init", model, [&] {
        require(adapter, "adapter");
        require(out, "out");
        require_size(params);
        check_params(*params, *model);
        if (adapter->model != model) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the adapter was loaded for another model");
        }
        const trainer_options options = {
            { params->n_tokens, params->n_outputs }, params->n_threads, arithmetic_of(params->arithmetic),
            params->memory == LUCIFER_TRAINING_LAYER ? memory_mode::layer : memory_mode::whole, params->dropout,
            params->loss_scale,
        };
        return with_servers(model->links, [&] {
            auto made = std::make_unique<lucifer_trainer>();
            made->impl    = std::make_unique<trainer>(model->model.get(), adapter->adapter.get(), options);
            made->check   = made->impl->verify();
            made->model   = model;
            made->options = options;
            made->subject = model->subject;
            require_servers(model->links);
            *out = made.release();
            return (int32_t) LUCIFER_STATUS_OK;
        });
    });
}

int32_t lucifer_trainer_free(struct lucifer_trainer * trainer) {
    if (trainer == nullptr) {
        return LUCIFER_STATUS_OK;
    }
    return guard("lucifer_trainer_free", trainer->subject, [&] {
        delete trainer;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_trainer_describe(struct lucifer_trainer * trainer, struct lucifer_trainer_info * out) {
    return guard_object("lucifer_trainer_describe", trainer, [&] {
        require_size(out);
        out->compute_bytes    = trainer->impl->compute_bytes();
        out->n_steps          = trainer->impl->steps;
        out->check_difference = trainer->check.difference;
        out->check_magnitude  = trainer->check.magnitude;
        out->n_tensors        = (int32_t) trainer->impl->parameters().size();
        out->n_layers         = trainer->impl->n_layers();
        out->n_fallbacks      = trainer->impl->n_fallbacks();
        out->loss_scale       = trainer->impl->loss_scale();
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

static void check_batch(const lucifer_trainer & trainer, const lucifer_training_batch & b) {
    const int32_t n_vocab = llama_vocab_n_tokens(trainer.model->vocab);
    require(b.tokens, "tokens");
    require(b.positions, "positions");
    require(b.sequences, "sequences");
    require(b.outputs, "outputs");
    require(b.labels, "labels");
    require(b.weights, "weights");
    if (b.n_rows < 1 || b.n_rows > trainer.options.largest.rows || b.n_outputs < 1 || b.n_outputs > trainer.options.largest.outputs) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%d rows and %d outputs, expected 1 to %d and 1 to %d", b.n_rows, b.n_outputs,
             trainer.options.largest.rows, trainer.options.largest.outputs);
    }
    for (int32_t i = 0; i < b.n_rows; ++i) {
        if (b.tokens[i] < 0 || b.tokens[i] >= n_vocab || b.positions[i] < 0 || b.sequences[i] < 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "row %d: token %d (of %d), position %d, sequence %d", i, b.tokens[i], n_vocab, b.positions[i],
                 b.sequences[i]);
        }
        if (trainer.model->n_positions > 0 && b.positions[i] >= trainer.model->n_positions) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "row %d stands at position %d, the model has learnt %d", i, b.positions[i],
                 trainer.model->n_positions);
        }
    }
    for (int32_t i = 0; i < b.n_outputs; ++i) {
        const bool ascending = i == 0 || b.outputs[i] > b.outputs[i - 1];
        if (!ascending || b.outputs[i] < 0 || b.outputs[i] >= b.n_rows || b.labels[i] < 0 || b.labels[i] >= n_vocab ||
            !(b.weights[i] >= 0.0f) || !std::isfinite(b.weights[i])) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "output %d: row %d, label %d, weight %g; rows ascend, weights are finite and not negative", i,
                 b.outputs[i], b.labels[i], (double) b.weights[i]);
        }
    }
}

// Fills up to a shape: padding rows belong to no sequence, padding outputs have weight 0 and are rows that
// are not outputs yet (gradients are scattered by row, so no row may come twice). Outputs stay ascending.
static supervised_batch padded(const batch_shape & shape, const lucifer_training_batch & b) {
    supervised_batch result;
    packed_batch &   rows = result.batch;
    rows.tokens.assign(b.tokens, b.tokens + b.n_rows);
    rows.positions.assign(b.positions, b.positions + b.n_rows);
    rows.sequences.assign(b.sequences, b.sequences + b.n_rows);
    rows.tokens.resize(shape.rows, 0);
    rows.positions.resize(shape.rows, 0);
    rows.sequences.resize(shape.rows, -1);

    int32_t missing = shape.outputs - b.n_outputs;
    int32_t next    = 0;
    for (int32_t row = 0; row < shape.rows; ++row) {
        const bool supervised = next < b.n_outputs && b.outputs[next] == row;
        if (!supervised && (missing == 0 || --missing < 0)) {
            continue;
        }
        rows.outputs.push_back(row);
        result.labels.push_back(supervised ? b.labels[next] : 0);
        result.weights.push_back(supervised ? b.weights[next] : 0.0f);
        next += supervised ? 1 : 0;
    }
    return result;
}

int32_t lucifer_trainer_run(struct lucifer_trainer * trainer, const struct lucifer_training_batch * batch, int32_t learn,
                            const int32_t * cancel, double * loss) {
    return guard_object("lucifer_trainer_run", trainer, [&] {
        require_size(batch);
        require(loss, "loss");
        check_batch(*trainer, *batch);
        const supervised_batch rows = padded(trainer->impl->shape_for({ batch->n_rows, batch->n_outputs }), *batch);
        double sum = 0;
        const bool done = learn != 0 ? trainer->impl->accumulate(rows, batch->dropout_seed, cancel, sum) : trainer->impl->evaluate(rows, cancel, sum);
        if (!done) {
            return (int32_t) LUCIFER_STATUS_CANCELLED;
        }
        *loss = sum;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_trainer_update(struct lucifer_trainer * trainer, const struct lucifer_adamw * adamw, double * grad_norm, int32_t * skipped) {
    return guard_object("lucifer_trainer_update", trainer, [&] {
        require_size(adamw);
        require(grad_norm, "grad_norm");
        require(skipped, "skipped");
        if (trainer->impl->weight_sum() <= 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "there was no supervised token since the last update");
        }
        const update_result result = trainer->impl->update(
            { adamw->learning_rate, adamw->beta1, adamw->beta2, adamw->epsilon, adamw->weight_decay, adamw->max_grad_norm });
        *grad_norm = result.grad_norm;
        *skipped   = result.skipped ? 1 : 0;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_trainer_clear_gradients(struct lucifer_trainer * trainer) {
    return guard_object("lucifer_trainer_clear_gradients", trainer, [&] {
        trainer->impl->clear_gradients();
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

static void require_same_tensors(const lucifer_trainer & a, const lucifer_trainer & b) {
    auto &     here  = a.impl->parameters();
    auto &     there = b.impl->parameters();
    const bool same  = std::equal(here.begin(), here.end(), there.begin(), there.end(),
                                  [](const auto & p, const auto & q) { return p.name == q.name && p.size() == q.size(); });
    if (&a == &b || !same) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the other trainer is %s", &a == &b ? "this one" : "of other tensors");
    }
}

int32_t lucifer_trainer_gather(struct lucifer_trainer * trainer, struct lucifer_trainer * from) {
    return guard_object("lucifer_trainer_gather", trainer, [&] {
        require(from, "from");
        require_same_tensors(*trainer, *from);
        trainer->impl->gather(*from->impl);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_trainer_share(struct lucifer_trainer * trainer, struct lucifer_trainer * to) {
    return guard_object("lucifer_trainer_share", trainer, [&] {
        require(to, "to");
        require_same_tensors(*trainer, *to);
        trainer->impl->share(*to->impl);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

static trainer::parameter & parameter_at(lucifer_trainer & trainer, int32_t index) {
    auto & all = trainer.impl->parameters();
    if (index < 0 || (size_t) index >= all.size()) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "tensor %d, expected 0 to %zu", index, all.size() - 1);
    }
    return all[index];
}

static float * host_part(trainer::parameter & p, int32_t part) {
    switch (part) {
        case LUCIFER_TRAINER_VALUE:    return p.value;
        case LUCIFER_TRAINER_GRADIENT: return p.gradient.data();
        case LUCIFER_TRAINER_M:        return p.m.data();
        case LUCIFER_TRAINER_V:        return p.v.data();
        default: fail(LUCIFER_STATUS_INVALID_ARGUMENT, "part %d, expected one of enum lucifer_trainer_part", part);
    }
}

static void require_count(const trainer::parameter & p, int64_t n) {
    if (n != (int64_t) p.gradient.size()) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s has %zu elements, not %lld", p.name.c_str(), p.gradient.size(), (long long) n);
    }
}

int32_t lucifer_trainer_tensor(struct lucifer_trainer * trainer, int32_t index, char * name, int64_t cap, int64_t * len, int64_t * ne0,
                               int64_t * ne1) {
    return guard_object("lucifer_trainer_tensor", trainer, [&] {
        require(ne0, "ne0");
        require(ne1, "ne1");
        const trainer::parameter & p = parameter_at(*trainer, index);
        *ne0 = p.tensor->ne[0];
        *ne1 = p.tensor->ne[1];
        return put_text(p.name, name, cap, len);
    });
}

int32_t lucifer_trainer_read(struct lucifer_trainer * trainer, int32_t index, int32_t part, float * out, int64_t n) {
    return guard_object("lucifer_trainer_read", trainer, [&] {
        require(out, "out");
        trainer::parameter & p = parameter_at(*trainer, index);
        require_count(p, n);
        std::copy_n(host_part(p, part), n, out);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_trainer_write(struct lucifer_trainer * trainer, int32_t index, int32_t part, const float * values, int64_t n) {
    return guard_object("lucifer_trainer_write", trainer, [&] {
        require(values, "values");
        trainer::parameter & p = parameter_at(*trainer, index);
        require_count(p, n);
        std::copy_n(values, n, host_part(p, part));
        if (part == LUCIFER_TRAINER_VALUE) {
            trainer->impl->put_value(p);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_trainer_set_steps(struct lucifer_trainer * trainer, int64_t n_steps) {
    return guard_object("lucifer_trainer_set_steps", trainer, [&] {
        if (n_steps < 0) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "n_steps is %lld, expected at least 0", (long long) n_steps);
        }
        trainer->impl->steps = n_steps;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
