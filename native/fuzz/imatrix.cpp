// An importance matrix in GGUF or in the older format, by which a quantization is planned.

#include "frame.h"

void attempt(const std::string & input) {
    sound_model(LUCIFER_FUZZ_TINY); // starts the library
    auto params = sized<lucifer_quantize_params>();
    must(lucifer_quantize_params_init(&params) == LUCIFER_STATUS_OK, "a quantization has no defaults");
    params.input     = LUCIFER_FUZZ_TINY;
    params.imatrix   = file_of(input);
    params.ftype     = 19; // IQ2_XXS, which needs one
    params.n_threads = 1;
    params.dry_run   = 1;
    auto report      = sized<lucifer_quantize_report>();
    accepted(lucifer_quantize(&params, &report, nullptr));
}
