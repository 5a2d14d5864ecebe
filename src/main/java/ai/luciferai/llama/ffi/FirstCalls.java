package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

/**
 * The calls between the start of a process and its first token, linked ahead: a JVM makes the code of a native call when the call's
 * class is first used, which is a third of the time to the first token. Whatever is missing here is linked when it is called.
 */
final class FirstCalls {

    private FirstCalls() {}

    static void link() {
        lucifer_model_params_init$handle();
        lucifer_model_load$handle();
        lucifer_model_describe$handle();
        lucifer_context_params_init$handle();
        lucifer_context_init$handle();
        lucifer_context_describe$handle();
        lucifer_sampler_params_init$handle();
        lucifer_sampler_init$handle();
        lucifer_tokenize$handle();
        lucifer_context_decode$handle();
        lucifer_sampler_sample$handle();
        lucifer_token_piece$handle();
    }
}
