// A GGUF file as a LoRA adapter: what loads takes part in computing a token.

#include "frame.h"

static void compute_with(lucifer_model * model, lucifer_adapter * adapter) {
    lucifer_context * context = new_context(model);
    const float       scale   = 1;
    if (accepted(lucifer_context_set_adapters(context, &adapter, &scale, 1))) {
        accepted(decode(context, 0, 1));
    }
    lucifer_context_free(context);
    lucifer_adapter_free(adapter);
}

void attempt(const std::string & input) {
    lucifer_model *   model   = load_model(LUCIFER_FUZZ_TINY); // of its own: an assertion would poison it
    lucifer_adapter * adapter = nullptr;
    if (accepted_unchecked(lucifer_adapter_load(model, file_of(input), &adapter))) {
        compute_with(model, adapter);
    }
    lucifer_model_free(model);
}
