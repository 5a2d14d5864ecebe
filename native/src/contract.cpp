// What the library was compiled with, for the caller's check of its bindings. A field that is missing here is found by that
// check too: it knows the fields of the header.

#include "guard.h"

#include <cstddef>

namespace lucifer {

namespace {

struct layout_entry {
    const char * name;
    size_t       value;
};

#define STRUCT(type)       {#type, sizeof(struct type)}
#define FIELD(type, field) {#type "." #field, offsetof(struct type, field)}

const layout_entry entries[] = {
    STRUCT(lucifer_device),
    FIELD(lucifer_device, struct_size),
    FIELD(lucifer_device, memory_free),
    FIELD(lucifer_device, memory_total),
    FIELD(lucifer_device, type),
    FIELD(lucifer_device, reserved),
    FIELD(lucifer_device, name),
    FIELD(lucifer_device, description),
    FIELD(lucifer_device, backend),
    FIELD(lucifer_device, library),

    STRUCT(lucifer_kv_override),
    FIELD(lucifer_kv_override, val_int),
    FIELD(lucifer_kv_override, val_float),
    FIELD(lucifer_kv_override, type),
    FIELD(lucifer_kv_override, reserved),
    FIELD(lucifer_kv_override, key),
    FIELD(lucifer_kv_override, val_str),

    STRUCT(lucifer_model_params),
    FIELD(lucifer_model_params, struct_size),
    FIELD(lucifer_model_params, paths),
    FIELD(lucifer_model_params, devices),
    FIELD(lucifer_model_params, tensor_split),
    FIELD(lucifer_model_params, kv_overrides),
    FIELD(lucifer_model_params, progress),
    FIELD(lucifer_model_params, cancel),
    FIELD(lucifer_model_params, fit_margin),
    FIELD(lucifer_model_params, n_paths),
    FIELD(lucifer_model_params, n_devices),
    FIELD(lucifer_model_params, n_tensor_split),
    FIELD(lucifer_model_params, n_kv_overrides),
    FIELD(lucifer_model_params, n_gpu_layers),
    FIELD(lucifer_model_params, split_mode),
    FIELD(lucifer_model_params, load_mode),
    FIELD(lucifer_model_params, main_gpu),
    FIELD(lucifer_model_params, fit_n_ctx),
    FIELD(lucifer_model_params, fit_n_ubatch),
    FIELD(lucifer_model_params, vocab_only),
    FIELD(lucifer_model_params, check_tensors),
    FIELD(lucifer_model_params, use_extra_bufts),
    FIELD(lucifer_model_params, reserved),

    STRUCT(lucifer_model_info),
    FIELD(lucifer_model_info, struct_size),
    FIELD(lucifer_model_info, n_params),
    FIELD(lucifer_model_info, size_bytes),
    FIELD(lucifer_model_info, n_ctx_train),
    FIELD(lucifer_model_info, n_embd),
    FIELD(lucifer_model_info, n_embd_out),
    FIELD(lucifer_model_info, n_layer),
    FIELD(lucifer_model_info, n_head),
    FIELD(lucifer_model_info, n_head_kv),
    FIELD(lucifer_model_info, n_vocab),
    FIELD(lucifer_model_info, vocab_type),
    FIELD(lucifer_model_info, ftype),
    FIELD(lucifer_model_info, rope_type),
    FIELD(lucifer_model_info, pooling_type),
    FIELD(lucifer_model_info, n_cls_out),
    FIELD(lucifer_model_info, token_bos),
    FIELD(lucifer_model_info, token_eos),
    FIELD(lucifer_model_info, token_eot),
    FIELD(lucifer_model_info, token_sep),
    FIELD(lucifer_model_info, token_nl),
    FIELD(lucifer_model_info, token_pad),
    FIELD(lucifer_model_info, decoder_start),
    FIELD(lucifer_model_info, add_bos),
    FIELD(lucifer_model_info, add_eos),
    FIELD(lucifer_model_info, has_encoder),
    FIELD(lucifer_model_info, has_decoder),
    FIELD(lucifer_model_info, is_recurrent),
    FIELD(lucifer_model_info, is_hybrid),
    FIELD(lucifer_model_info, is_diffusion),
    FIELD(lucifer_model_info, n_swa),
    FIELD(lucifer_model_info, n_gpu_layers),
    FIELD(lucifer_model_info, fit_n_ctx),
    FIELD(lucifer_model_info, description),

    STRUCT(lucifer_context_params),
    FIELD(lucifer_context_params, struct_size),
    FIELD(lucifer_context_params, n_ctx),
    FIELD(lucifer_context_params, n_batch),
    FIELD(lucifer_context_params, n_ubatch),
    FIELD(lucifer_context_params, n_seq_max),
    FIELD(lucifer_context_params, n_threads),
    FIELD(lucifer_context_params, n_threads_batch),
    FIELD(lucifer_context_params, flash_attn),
    FIELD(lucifer_context_params, type_k),
    FIELD(lucifer_context_params, type_v),
    FIELD(lucifer_context_params, pooling_type),
    FIELD(lucifer_context_params, attention_type),
    FIELD(lucifer_context_params, rope_scaling_type),
    FIELD(lucifer_context_params, rope_freq_base),
    FIELD(lucifer_context_params, rope_freq_scale),
    FIELD(lucifer_context_params, yarn_ext_factor),
    FIELD(lucifer_context_params, yarn_attn_factor),
    FIELD(lucifer_context_params, yarn_beta_fast),
    FIELD(lucifer_context_params, yarn_beta_slow),
    FIELD(lucifer_context_params, yarn_orig_ctx),
    FIELD(lucifer_context_params, embeddings),
    FIELD(lucifer_context_params, offload_kqv),
    FIELD(lucifer_context_params, op_offload),
    FIELD(lucifer_context_params, swa_full),
    FIELD(lucifer_context_params, kv_unified),

    STRUCT(lucifer_context_info),
    FIELD(lucifer_context_info, struct_size),
    FIELD(lucifer_context_info, state_bytes),
    FIELD(lucifer_context_info, n_ctx),
    FIELD(lucifer_context_info, n_ctx_seq),
    FIELD(lucifer_context_info, n_batch),
    FIELD(lucifer_context_info, n_ubatch),
    FIELD(lucifer_context_info, n_seq_max),
    FIELD(lucifer_context_info, pooling_type),
    FIELD(lucifer_context_info, n_threads),
    FIELD(lucifer_context_info, n_threads_batch),
    FIELD(lucifer_context_info, can_shift),
    FIELD(lucifer_context_info, has_memory),

    STRUCT(lucifer_logit_bias),
    FIELD(lucifer_logit_bias, token),
    FIELD(lucifer_logit_bias, bias),

    STRUCT(lucifer_sampler_params),
    FIELD(lucifer_sampler_params, struct_size),
    FIELD(lucifer_sampler_params, grammar),
    FIELD(lucifer_sampler_params, generation_prompt),
    FIELD(lucifer_sampler_params, samplers),
    FIELD(lucifer_sampler_params, grammar_trigger_patterns),
    FIELD(lucifer_sampler_params, grammar_trigger_tokens),
    FIELD(lucifer_sampler_params, logit_bias),
    FIELD(lucifer_sampler_params, dry_breakers),
    FIELD(lucifer_sampler_params, n_grammar_trigger_patterns),
    FIELD(lucifer_sampler_params, n_grammar_trigger_tokens),
    FIELD(lucifer_sampler_params, n_logit_bias),
    FIELD(lucifer_sampler_params, n_dry_breakers),
    FIELD(lucifer_sampler_params, seed),
    FIELD(lucifer_sampler_params, min_keep),
    FIELD(lucifer_sampler_params, top_k),
    FIELD(lucifer_sampler_params, top_p),
    FIELD(lucifer_sampler_params, min_p),
    FIELD(lucifer_sampler_params, typical_p),
    FIELD(lucifer_sampler_params, top_n_sigma),
    FIELD(lucifer_sampler_params, xtc_probability),
    FIELD(lucifer_sampler_params, xtc_threshold),
    FIELD(lucifer_sampler_params, temperature),
    FIELD(lucifer_sampler_params, dynatemp_range),
    FIELD(lucifer_sampler_params, dynatemp_exponent),
    FIELD(lucifer_sampler_params, penalty_last_n),
    FIELD(lucifer_sampler_params, penalty_repeat),
    FIELD(lucifer_sampler_params, penalty_frequency),
    FIELD(lucifer_sampler_params, penalty_presence),
    FIELD(lucifer_sampler_params, dry_multiplier),
    FIELD(lucifer_sampler_params, dry_base),
    FIELD(lucifer_sampler_params, dry_allowed_length),
    FIELD(lucifer_sampler_params, dry_penalty_last_n),
    FIELD(lucifer_sampler_params, mirostat),
    FIELD(lucifer_sampler_params, mirostat_tau),
    FIELD(lucifer_sampler_params, mirostat_eta),
    FIELD(lucifer_sampler_params, adaptive_target),
    FIELD(lucifer_sampler_params, adaptive_decay),
    FIELD(lucifer_sampler_params, ignore_eos),
    FIELD(lucifer_sampler_params, grammar_lazy),

    STRUCT(lucifer_tensor_type),
    FIELD(lucifer_tensor_type, pattern),
    FIELD(lucifer_tensor_type, type),
    FIELD(lucifer_tensor_type, reserved),

    STRUCT(lucifer_quantize_params),
    FIELD(lucifer_quantize_params, struct_size),
    FIELD(lucifer_quantize_params, input),
    FIELD(lucifer_quantize_params, output),
    FIELD(lucifer_quantize_params, imatrix),
    FIELD(lucifer_quantize_params, imatrix_name),
    FIELD(lucifer_quantize_params, include_weights),
    FIELD(lucifer_quantize_params, exclude_weights),
    FIELD(lucifer_quantize_params, tensor_types),
    FIELD(lucifer_quantize_params, kv_overrides),
    FIELD(lucifer_quantize_params, prune_layers),
    FIELD(lucifer_quantize_params, progress),
    FIELD(lucifer_quantize_params, cancel),
    FIELD(lucifer_quantize_params, max_buffer_bytes),
    FIELD(lucifer_quantize_params, n_include_weights),
    FIELD(lucifer_quantize_params, n_exclude_weights),
    FIELD(lucifer_quantize_params, n_tensor_types),
    FIELD(lucifer_quantize_params, n_kv_overrides),
    FIELD(lucifer_quantize_params, n_prune_layers),
    FIELD(lucifer_quantize_params, ftype),
    FIELD(lucifer_quantize_params, n_threads),
    FIELD(lucifer_quantize_params, output_tensor_type),
    FIELD(lucifer_quantize_params, token_embedding_type),
    FIELD(lucifer_quantize_params, only_copy),
    FIELD(lucifer_quantize_params, pure),
    FIELD(lucifer_quantize_params, allow_requantize),
    FIELD(lucifer_quantize_params, quantize_output_tensor),
    FIELD(lucifer_quantize_params, keep_split),
    FIELD(lucifer_quantize_params, dry_run),
    FIELD(lucifer_quantize_params, reserved),

    STRUCT(lucifer_quantize_report),
    FIELD(lucifer_quantize_report, struct_size),
    FIELD(lucifer_quantize_report, n_elements),
    FIELD(lucifer_quantize_report, bytes_before),
    FIELD(lucifer_quantize_report, bytes_after),
    FIELD(lucifer_quantize_report, n_tensors),
    FIELD(lucifer_quantize_report, n_converted),
    FIELD(lucifer_quantize_report, n_fallback),
    FIELD(lucifer_quantize_report, n_requantized),
    FIELD(lucifer_quantize_report, n_without_imatrix),
    FIELD(lucifer_quantize_report, needs_imatrix),

    STRUCT(lucifer_planned_tensor),
    FIELD(lucifer_planned_tensor, struct_size),
    FIELD(lucifer_planned_tensor, ne),
    FIELD(lucifer_planned_tensor, bytes_before),
    FIELD(lucifer_planned_tensor, bytes_after),
    FIELD(lucifer_planned_tensor, type_before),
    FIELD(lucifer_planned_tensor, type_after),
    FIELD(lucifer_planned_tensor, fallback),
    FIELD(lucifer_planned_tensor, has_imatrix),
    FIELD(lucifer_planned_tensor, name),
};

#undef STRUCT
#undef FIELD

} // namespace

} // namespace lucifer

using namespace lucifer;

int32_t lucifer_layout(int32_t index, char * name, int64_t cap, int64_t * len, int64_t * value) {
    return guard("lucifer_layout", [&] {
        require(value, "value");
        const int32_t n = (int32_t) (sizeof(entries) / sizeof(entries[0]));
        if (index < 0 || index >= n) {
            fail(LUCIFER_STATUS_INVALID_ARGUMENT, "entry %d of %d", index, n);
        }
        const int32_t status = put_text(std::string(entries[index].name), name, cap, len);
        *value               = (int64_t) entries[index].value;
        return status;
    });
}
