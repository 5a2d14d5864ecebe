package ai.luciferai.llama.convert;

import java.io.IOException;
import java.util.List;

/**
 * DeepSeek V2, V2-Lite and V3: compressed keys and values, many experts.
 *
 * <p><i>Source</i>: llama.cpp, conversion/deepseek.py {@code DeepseekV2Model}.
 */
final class DeepSeekFamily extends Architecture {

    private final long keyValueHeads;

    DeepSeekFamily(ModelSource source) {
        super(source);
        stackExperts("mlp.experts", MLP_EXPERTS, "n_routed_experts", "down_proj", "gate_proj", "up_proj");
        this.keyValueHeads = require("num_key_value_heads");
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        boolean tiedHead = Boolean.TRUE.equals(config.get("tie_word_embeddings"))
                && (name.equals("lm_head.weight") || name.equals("model.lm_head.weight"));
        boolean predictor = name.startsWith("model.layers.") && block >= require("num_hidden_layers");
        if (tiedHead || predictor) {
            return;
        }
        if (name.endsWith("kv_b_proj.weight")) {
            long value = require("v_head_dim");
            long key = require("qk_nope_head_dim");
            List<Tensor> parts = tensor.reshape(keyValueHeads, value + key, tensor.dim(-1)).split(1, key, value);
            super.modify(parts.get(0).transpose(), name.replace("kv_b_proj", "k_b_proj"), block, sink);
            super.modify(parts.get(1), name.replace("kv_b_proj", "v_b_proj"), block, sink);
        } else {
            super.modify(tensor, name, block, sink);
        }
    }

    @Override
    void parameters() throws IOException {
        config.values().put("num_key_value_heads", 1L); // the compressed form has one
        config.values().putIfAbsent("rms_norm_eps", 1e-6);
        defaultParameters();
        boolean hasExperts = config.has("n_routed_experts");
        keys.u32(".leading_dense_block_count", config.has("first_k_dense_replace") ? config.get("first_k_dense_replace")
                : (Object) (hasExperts ? 0L : require("num_hidden_layers")));
        keys.u32(".vocab_size", config.requireWhole("vocab_size"));
        u32(".attention.q_lora_rank", "q_lora_rank");
        long rank = config.has("kv_lora_rank") ? config.requireWhole("kv_lora_rank") : 512;
        long rotary = require("qk_rope_head_dim");
        keys.u32(".attention.kv_lora_rank", rank);
        keys.u32(".attention.key_length", rank + rotary);
        keys.u32(".attention.value_length", rank);
        keys.u32(".attention.key_length_mla", require("qk_nope_head_dim") + rotary);
        keys.u32(".attention.value_length_mla", require("v_head_dim"));
        keys.u32(".expert_feed_forward_length", require("moe_intermediate_size", "intermediate_size"));
        u32(".expert_count", "n_routed_experts");
        keys.u32(".expert_shared_count", config.has("n_shared_experts") ? config.get("n_shared_experts") : (Object) 0L);
        f32(".expert_weights_scale", "routed_scaling_factor");
        if (Boolean.TRUE.equals(config.get("norm_topk_prob"))) {
            keys.bool(".expert_weights_norm", true);
        }
        keys.u32(".rope.dimension_count", rotary);
        if (rope.has("mscale_all_dim")) {
            keys.f32(".rope.scaling.yarn_log_multiplier", 0.1 * rope.requireNumber("mscale_all_dim"));
        }
    }
}
