// Chooses tokens, with llama.cpp's own common_sampler: the same seed and parameters give what its tools give.

#include "grammar.h"
#include "objects.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <regex>

namespace lucifer {

namespace {

void require_number(const char * name, float value) {
    if (std::isnan(value)) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s is not a number", name);
    }
}

std::vector<common_sampler_type> read_order(const std::string & text) {
    std::vector<common_sampler_type> order;
    size_t start = 0;
    while (start <= text.size()) {
        const size_t      end   = std::min(text.find(';', start), text.size());
        const std::string name  = text.substr(start, end - start);
        const auto        known = common_sampler_types_from_names({name});
        if (known.empty()) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT,
                 "samplers is '%s', expected names with ';' between: penalties, dry, top_n_sigma, top_k, typ_p, top_p, min_p, xtc, "
                 "temperature, infill, adaptive_p",
                 name.c_str());
        }
        order.push_back(known[0]);
        start = end + 1;
    }
    return order;
}

void read_numbers(const lucifer_sampler_params & in, common_params_sampling & out) {
    const struct {
        const char * name;
        float        value;
        float &      target;
    } floats[] = {
        {"top_p", in.top_p, out.top_p},
        {"min_p", in.min_p, out.min_p},
        {"typical_p", in.typical_p, out.typ_p},
        {"top_n_sigma", in.top_n_sigma, out.top_n_sigma},
        {"xtc_probability", in.xtc_probability, out.xtc_probability},
        {"xtc_threshold", in.xtc_threshold, out.xtc_threshold},
        {"temperature", in.temperature, out.temp},
        {"dynatemp_range", in.dynatemp_range, out.dynatemp_range},
        {"dynatemp_exponent", in.dynatemp_exponent, out.dynatemp_exponent},
        {"penalty_repeat", in.penalty_repeat, out.penalty_repeat},
        {"penalty_frequency", in.penalty_frequency, out.penalty_freq},
        {"penalty_presence", in.penalty_presence, out.penalty_present},
        {"dry_multiplier", in.dry_multiplier, out.dry_multiplier},
        {"dry_base", in.dry_base, out.dry_base},
        {"mirostat_tau", in.mirostat_tau, out.mirostat_tau},
        {"mirostat_eta", in.mirostat_eta, out.mirostat_eta},
        {"adaptive_target", in.adaptive_target, out.adaptive_target},
        {"adaptive_decay", in.adaptive_decay, out.adaptive_decay},
    };
    for (const auto & f : floats) {
        require_number(f.name, f.value);
        f.target = f.value;
    }
    if (in.mirostat < 0 || in.mirostat > 2) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "mirostat is %d, expected 0 to 2", in.mirostat);
    }
    out.seed               = in.seed;
    out.min_keep           = std::max(0, in.min_keep);
    out.top_k              = in.top_k;
    out.penalty_last_n     = in.penalty_last_n;
    out.dry_allowed_length = in.dry_allowed_length;
    out.dry_penalty_last_n = in.dry_penalty_last_n;
    out.mirostat           = in.mirostat;
    out.ignore_eos         = in.ignore_eos != 0;
    out.no_perf            = true;
}

void read_biases(const lucifer_sampler_params & in, const lucifer_model & model, common_params_sampling & out) {
    if (in.n_logit_bias > 0) {
        require(in.logit_bias, "logit_bias");
    }
    for (int32_t i = 0; i < in.n_logit_bias; i++) {
        require_token(model, in.logit_bias[i].token);
        require_number("a logit bias", in.logit_bias[i].bias);
        out.logit_bias.push_back({in.logit_bias[i].token, in.logit_bias[i].bias});
    }
    // as upstream's common_init_from_params
    if (out.ignore_eos && llama_vocab_eos(model.vocab) != LLAMA_TOKEN_NULL) {
        for (llama_token t = 0; t < llama_vocab_n_tokens(model.vocab); t++) {
            if (llama_vocab_is_eog(model.vocab, t)) {
                out.logit_bias.push_back({t, -INFINITY});
            }
        }
    }
}

void read_grammar(const lucifer_sampler_params & in, const lucifer_model & model, common_params_sampling & out) {
    if (in.grammar == nullptr) {
        return;
    }
    grammar_check(model.vocab, in.grammar);
    out.grammar = common_grammar(in.generation_prompt == nullptr ? COMMON_GRAMMAR_TYPE_USER : COMMON_GRAMMAR_TYPE_OUTPUT_FORMAT, in.grammar);
    out.generation_prompt = in.generation_prompt == nullptr ? "" : in.generation_prompt;
    out.grammar_lazy      = in.grammar_lazy != 0;
    for (int32_t i = 0; i < in.n_grammar_trigger_patterns; i++) {
        require(in.grammar_trigger_patterns, "grammar_trigger_patterns");
        require(in.grammar_trigger_patterns[i], "a trigger pattern");
        const std::string pattern = in.grammar_trigger_patterns[i];
        try {
            std::regex check(pattern);
        } catch (const std::regex_error & e) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "grammar trigger '%s' is no regular expression: %s", pattern.c_str(), e.what());
        }
        out.grammar_triggers.push_back({COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN, pattern, LLAMA_TOKEN_NULL});
    }
    for (int32_t i = 0; i < in.n_grammar_trigger_tokens; i++) {
        require(in.grammar_trigger_tokens, "grammar_trigger_tokens");
        require_token(model, in.grammar_trigger_tokens[i]);
        out.grammar_triggers.push_back({COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN, "", in.grammar_trigger_tokens[i]});
    }
    if (out.grammar_lazy && out.grammar_triggers.empty()) {
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "a lazy grammar needs at least one trigger");
    }
}

common_params_sampling read_params(const lucifer_sampler_params & in, const lucifer_model & model) {
    common_params_sampling out;
    read_numbers(in, out);
    read_biases(in, model, out);
    read_grammar(in, model, out);
    if (in.samplers != nullptr) {
        out.samplers = read_order(in.samplers);
    } else {
        const std::string own = meta_value(model.model.get(), llama_model_meta_key_str(LLAMA_MODEL_META_KEY_SAMPLING_SEQUENCE));
        if (!own.empty()) {
            out.samplers = read_order(own);
        }
    }
    if (in.dry_breakers != nullptr) {
        out.dry_sequence_breakers.clear();
        for (int32_t i = 0; i < in.n_dry_breakers; i++) {
            require(in.dry_breakers[i], "a DRY breaker");
            out.dry_sequence_breakers.push_back(in.dry_breakers[i]);
        }
    }
    return out;
}

common_sampler_ptr make_sampler(const lucifer_model & model, common_params_sampling params) {
    try {
        return common_sampler_ptr(common_sampler_init(model.model.get(), params));
    } catch (const std::runtime_error & e) {
        const std::string cause = call_last_error_line();
        fail(LUCIFER_STATUS_INVALID_ARGUMENT, "%s%s%s", e.what(), cause.empty() ? "" : ": ", cause.c_str());
    }
}

bool own_grammar(const common_params_sampling & params) {
    return params.grammar.type == COMMON_GRAMMAR_TYPE_USER && !params.grammar_lazy;
}

llama_token end_of_generation(const llama_vocab * vocab) {
    llama_token t = 0;
    while (t < llama_vocab_n_tokens(vocab) && !llama_vocab_is_eog(vocab, t)) {
        t++;
    }
    return t;
}

// Upstream's sampler does not tell where its grammar stands: one of the grammar alone follows the chosen tokens, and is offered the end.
bool may_end(const lucifer_sampler & sampler) {
    const llama_vocab * vocab = sampler.model->vocab;
    const llama_token   eog   = end_of_generation(vocab);
    if (!own_grammar(sampler.params) || eog == llama_vocab_n_tokens(vocab)) {
        return true;
    }
    const llama_sampler_ptr grammar(llama_sampler_init_grammar(vocab, sampler.params.grammar.grammar.c_str(), "root"));
    for (const llama_token token : sampler.chosen) {
        llama_sampler_accept(grammar.get(), token);
    }
    llama_token_data       end     = {eog, 0.0f, 0.0f};
    llama_token_data_array offered = {&end, 1, -1, false};
    llama_sampler_apply(grammar.get(), &offered);
    return !std::isinf(end.logit);
}

constexpr size_t  max_piece    = 200;    // bytes of a token: llama.cpp recurses at each character, with some 500 bytes of stack
constexpr size_t  max_any      = 200000; // and with a stack of our own
constexpr int64_t max_searched = 200000; // bytes of an answer in which its regular expressions look for the trigger, recursing likewise

size_t longest_piece(const llama_vocab * vocab) {
    size_t longest = 0;
    for (llama_token token = 0; token < llama_vocab_n_tokens(vocab); token++) {
        longest = std::max(longest, strlen(llama_vocab_get_text(vocab, token)));
    }
    return longest;
}

bool needs_stack(const lucifer_sampler & sampler) {
    const size_t longest = longest_piece(sampler.model->vocab);
    if (longest > max_any) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "llama.cpp cannot keep a grammar with a vocabulary that has a token of %zu bytes", longest);
    }
    return longest > max_piece || sampler.params.grammar_lazy;
}

// Calls body as the sampler's grammar, which anybody may have written, makes necessary.
template <typename F> void run_grammar(lucifer_sampler & sampler, const int32_t * cancel, F && body) {
    if (sampler.params.grammar.empty()) {
        body();
    } else if (sampler.recursive) {
        run_awaited("the grammar", cancel, sampler.allowed, body);
    } else {
        run_charged("the grammar", cancel, sampler.allowed, body);
    }
}

void require_searchable(lucifer_sampler & sampler, llama_token token) {
    sampler.n_bytes += (int64_t) strlen(llama_vocab_get_text(sampler.model->vocab, token));
    if (sampler.params.grammar_lazy && sampler.n_bytes > max_searched) {
        fail(LUCIFER_STATUS_UNSUPPORTED, "llama.cpp cannot look for tool calls in an answer of more than %lld bytes", (long long) max_searched);
    }
}

// The model's own general.sampling.* values, as upstream's common_init_sampler_from_model reads them.
void read_model_defaults(const llama_model * model, lucifer_sampler_params & out) {
    auto read_int = [&](llama_model_meta_key key, int32_t & value) {
        const std::string text = meta_value(model, llama_model_meta_key_str(key));
        char *            end  = nullptr;
        const long        v    = strtol(text.c_str(), &end, 10);
        value                  = end != text.c_str() ? (int32_t) v : value;
    };
    auto read_float = [&](llama_model_meta_key key, float & value) {
        const std::string text = meta_value(model, llama_model_meta_key_str(key));
        char *            end  = nullptr;
        const float       v    = strtof(text.c_str(), &end);
        value                  = end != text.c_str() ? v : value;
    };
    read_int(LLAMA_MODEL_META_KEY_SAMPLING_TOP_K, out.top_k);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_TOP_P, out.top_p);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_MIN_P, out.min_p);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_XTC_PROBABILITY, out.xtc_probability);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_XTC_THRESHOLD, out.xtc_threshold);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_TEMP, out.temperature);
    read_int(LLAMA_MODEL_META_KEY_SAMPLING_PENALTY_LAST_N, out.penalty_last_n);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_PENALTY_REPEAT, out.penalty_repeat);
    read_int(LLAMA_MODEL_META_KEY_SAMPLING_MIROSTAT, out.mirostat);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_MIROSTAT_TAU, out.mirostat_tau);
    read_float(LLAMA_MODEL_META_KEY_SAMPLING_MIROSTAT_ETA, out.mirostat_eta);
}

// Samplers make something of NaN, mostly the first token or the last. A logit may be negative infinity: a token that cannot be.
void require_numbers(const lucifer_model & model, const float * logits, int32_t n) {
    int32_t n_bad = 0;
    for (int32_t i = 0; i < n; i++) {
        n_bad += logits[i] < INFINITY ? 0 : 1;
    }
    if (n_bad > 0) {
        fail_broken(model, std::to_string(n_bad) + " of " + std::to_string(n) + " logits are not numbers");
    }
}

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_sampler_params_init(struct lucifer_model * model, struct lucifer_sampler_params * params) {
    return guard("lucifer_sampler_params_init", [&] {
        require_size(params);
        const common_params_sampling d;
        *params                    = {};
        params->struct_size        = sizeof(*params);
        params->model              = model;
        params->seed               = d.seed;
        params->min_keep           = d.min_keep;
        params->top_k              = d.top_k;
        params->top_p              = d.top_p;
        params->min_p              = d.min_p;
        params->typical_p          = d.typ_p;
        params->top_n_sigma        = d.top_n_sigma;
        params->xtc_probability    = d.xtc_probability;
        params->xtc_threshold      = d.xtc_threshold;
        params->temperature        = d.temp;
        params->dynatemp_range     = d.dynatemp_range;
        params->dynatemp_exponent  = d.dynatemp_exponent;
        params->penalty_last_n     = d.penalty_last_n;
        params->penalty_repeat     = d.penalty_repeat;
        params->penalty_frequency  = d.penalty_freq;
        params->penalty_presence   = d.penalty_present;
        params->dry_multiplier     = d.dry_multiplier;
        params->dry_base           = d.dry_base;
        params->dry_allowed_length = d.dry_allowed_length;
        params->dry_penalty_last_n = d.dry_penalty_last_n;
        params->mirostat           = d.mirostat;
        params->mirostat_tau       = d.mirostat_tau;
        params->mirostat_eta       = d.mirostat_eta;
        params->adaptive_target    = d.adaptive_target;
        params->adaptive_decay     = d.adaptive_decay;
        if (model != nullptr) {
            read_model_defaults(model->model.get(), *params);
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_sampler_init(const struct lucifer_sampler_params * params, struct lucifer_sampler ** out) {
    return guard_init("lucifer_sampler_init", params, [&] {
        lucifer_model * model = params->model;
        require(out, "out");
        require_vocab(*model);
        auto sampler     = std::make_unique<lucifer_sampler>();
        sampler->model   = model;
        sampler->subject = model->subject;
        const auto make  = [&] {
            sampler->params  = read_params(*params, *model);
            sampler->sampler = make_sampler(*model, sampler->params);
        };
        if (params->grammar == nullptr) {
            make();
        } else {
            run_awaited("the grammar", params->cancel, sampler->allowed, make);
            sampler->recursive = needs_stack(*sampler);
        }
        *out = sampler.release();
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_sampler_free(struct lucifer_sampler * sampler) {
    return guard("lucifer_sampler_free", [&] {
        delete sampler;
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_sampler_accept(struct lucifer_sampler * sampler, int32_t token) {
    return guard_object("lucifer_sampler_accept", sampler, [&] {
        require_token(*sampler->model, token);
        common_sampler_accept(sampler->sampler.get(), token, false);
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_sampler_sample(struct lucifer_sampler * sampler, struct lucifer_choice * choice) {
    return guard_object("lucifer_sampler_sample", sampler, [&] {
        require_size(choice);
        return guard_object("lucifer_sampler_sample", choice->context, [&] {
            const lucifer_context & context = *choice->context;
            if (context.model != sampler->model) {
                fail(LUCIFER_STATUS_INVALID_ARGUMENT, "the sampler was made for another model than the context");
            }
            require_output(context, choice->i);
            const float * logits = llama_get_logits_ith(context.context.get(), choice->i);
            if (logits == nullptr) {
                fail(LUCIFER_STATUS_UNSUPPORTED, "this context computes no logits");
            }
            require_numbers(*context.model, logits, context.n_vocab);
            run_grammar(*sampler, choice->cancel, [&] {
                choice->token = common_sampler_sample(sampler->sampler.get(), context.context.get(), choice->i);
                require_searchable(*sampler, choice->token);
                common_sampler_accept(sampler->sampler.get(), choice->token, true);
            });
            if (!sampler->params.grammar.empty()) {
                sampler->chosen.push_back(choice->token);
            }
            return (int32_t) LUCIFER_STATUS_OK;
        });
    });
}

int32_t lucifer_sampler_reset(struct lucifer_sampler * sampler) {
    return guard_object("lucifer_sampler_reset", sampler, [&] {
        if (sampler->params.grammar.empty()) {
            common_sampler_reset(sampler->sampler.get());
        } else {
            // upstream's reset leaves the grammar where it is
            budget             allowed;
            common_sampler_ptr fresh;
            run_awaited("the grammar", nullptr, allowed, [&] { fresh = make_sampler(*sampler->model, sampler->params); });
            sampler->sampler = std::move(fresh);
            sampler->allowed = allowed;
            sampler->n_bytes = 0;
            sampler->chosen.clear();
        }
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_sampler_complete(const struct lucifer_sampler * sampler, int32_t * complete) {
    return guard_object("lucifer_sampler_complete", sampler, [&] {
        require(complete, "complete");
        budget allowed;
        run_awaited("the grammar", nullptr, allowed, [&] { *complete = may_end(*sampler) ? 1 : 0; });
        return (int32_t) LUCIFER_STATUS_OK;
    });
}

int32_t lucifer_sampler_seed(const struct lucifer_sampler * sampler, uint32_t * seed) {
    return guard_object("lucifer_sampler_seed", sampler, [&] {
        require(seed, "seed");
        *seed = common_sampler_get_seed(sampler->sampler.get());
        return (int32_t) LUCIFER_STATUS_OK;
    });
}
