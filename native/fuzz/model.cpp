// A GGUF file as a model: what loads computes a token.

#include "frame.h"

void attempt(const std::string & input) {
    lucifer_model * model = load_model(file_of(input));
    if (model == nullptr) {
        return;
    }
    if (lucifer_context * context = new_context(model)) {
        accepted_unchecked(decode(context, 0, 1));
        lucifer_context_free(context);
    }
    lucifer_model_free(model);
}
