// A grammar in GBNF, under which a few tokens are chosen. Texts of the contract are UTF-8.

#include "frame.h"

static lucifer_context * computed() {
    lucifer_context * context = new_context(sound_model(LUCIFER_FUZZ_MODEL));
    must(decode(context, 0, 1) == LUCIFER_STATUS_OK, "the model does not compute");
    return context;
}

void attempt(const std::string & input) {
    static lucifer_context * context = computed();
    auto                     params  = sized<lucifer_sampler_params>();
    must(lucifer_sampler_params_init(sound_model(LUCIFER_FUZZ_MODEL), &params) == LUCIFER_STATUS_OK, "a sampler has no defaults");
    const std::string text = as_utf8(input);
    params.model           = sound_model(LUCIFER_FUZZ_MODEL);
    params.grammar         = text.c_str();
    params.temperature     = 0;
    lucifer_sampler * sampler = nullptr;
    if (accepted(lucifer_sampler_init(&params, &sampler))) {
        auto choice    = sized<lucifer_choice>();
        choice.context = context;
        choice.i       = -1;
        for (int i = 0; i < 6 && accepted(lucifer_sampler_sample(sampler, &choice)); i++) {
        }
    }
    lucifer_sampler_free(sampler);
}
