package ai.luciferai.llama.convert;

import java.io.IOException;

/**
 * Models with experts that are built on a dense family: dots.llm1, Granite MoE, ERNIE 4.5 MoE, Phi-3.5-MoE, GLM-4.5.
 *
 * <p><i>Source</i>: llama.cpp, conversion/dots1.py, granite.py, ernie.py, phi.py, glm.py.
 */
final class ExpertFamily {

    private ExpertFamily() {}

    /** dots.llm1: Qwen's experts and shared ones. */
    static final class Dots1 extends QwenFamily.Experts {

        Dots1(ModelSource source) {
            super(source);
            config.values().put("num_experts", config.get("n_routed_experts"));
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (name.contains("shared_experts")) {
                sink.add(map(name), tensor);
            } else {
                super.modify(tensor, name, block, sink);
            }
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            keys.u32(".leading_dense_block_count", require("first_k_dense_replace"));
            keys.u32(".expert_shared_count", require("n_shared_experts"));
            keys.f32(".expert_weights_scale", config.requireNumber("routed_scaling_factor"));
            keys.bool(".expert_weights_norm", config.get("norm_topk_prob"));
        }
    }

    /** Granite MoE: gate and up matrices of all experts in one tensor. */
    static final class GraniteMoe extends LlamaFamily.Granite {

        GraniteMoe(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            boolean experts = config.get("num_local_experts") instanceof Long n && n > 0;
            if (name.endsWith("block_sparse_moe.input_linear.weight")) {
                halves(tensor, 1, "FFN_GATE_EXP", "FFN_UP_EXP", block, sink);
            } else if (name.endsWith("shared_mlp.input_linear.weight")) {
                halves(tensor, 0, experts ? "FFN_GATE_SHEXP" : "FFN_GATE", experts ? "FFN_UP_SHEXP" : "FFN_UP", block, sink);
            } else if (!experts && name.endsWith("shared_mlp.output_linear.weight")) {
                sink.add(names.of("FFN_DOWN", block), tensor);
            } else {
                super.modify(tensor, name, block, sink);
            }
        }

        private void halves(Tensor tensor, int dim, String gate, String up, int block, Sink sink) {
            long half = tensor.dim(dim) / 2;
            sink.add(names.of(gate, block), tensor.slice(dim, 0, half));
            sink.add(names.of(up, block), tensor.slice(dim, half, 2 * half));
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            if (config.get("shared_intermediate_size") instanceof Long width && width > 0) {
                keys.u32(".expert_shared_feed_forward_length", width);
            }
        }
    }

    /** ERNIE 4.5 with experts; its layers for predicting several tokens are left out. */
    static final class ErnieMoe extends LlamaFamily.Ernie {

        ErnieMoe(ModelSource source) {
            super(source);
            stackExperts("mlp.experts", MLP_EXPERTS, "moe_num_experts", "gate_proj", "up_proj", "down_proj");
        }

        @Override
        String filter(String name) {
            return name.matches("model\\.mtp_(block|emb_norm|hidden_norm|linear_proj)\\.\\d.*") ? null : super.filter(name);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (!takeExpert(tensor, name, block, sink)) {
                sink.add(map(name), tensor);
            }
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            keys.u32(".expert_count", require("moe_num_experts"));
            keys.u32(".expert_used_count", require("moe_k"));
            keys.u32(".interleave_moe_layer_step", require("moe_layer_interval"));
            keys.u32(".leading_dense_block_count", config.get("moe_layer_start_index"));
            u32(".expert_feed_forward_length", "moe_intermediate_size");
            if (config.has("moe_num_shared_experts")) {
                long shared = require("moe_num_shared_experts");
                keys.u32(".expert_shared_count", shared);
                if (shared > 0 && config.has("intermediate_size") && config.has("num_key_value_heads")) {
                    keys.u32(".expert_shared_feed_forward_length", require("intermediate_size") / positive("num_key_value_heads"));
                }
            }
        }
    }

    /** Phi-3.5-MoE. */
    static final class PhiMoe extends PhiFamily.Phi3 {

        PhiMoe(ModelSource source) {
            super(source);
            stackExperts("block_sparse_moe.experts", "model.layers.{bid}.block_sparse_moe.experts.{xid}.weight", "num_local_experts", "w1", "w2", "w3");
        }

        @Override
        void parameters() {
            super.parameters();
            keys.u32(".expert_used_count", require("num_experts_per_tok", "num_experts_per_token"));
            keys.u32(".expert_count", require("num_local_experts", "num_experts"));
        }
    }

    /** GLM-4.5, with its layer for predicting a further token. */
    static final class Glm4Moe extends Architecture {

        Glm4Moe(ModelSource source) {
            super(source);
            stackExperts("mlp.experts", MLP_EXPERTS, "n_routed_experts", "down_proj", "gate_proj", "up_proj");
        }

        @Override
        protected long countBlocks() {
            Object further = find("num_nextn_predict_layers");
            return super.countBlocks() + (further instanceof Long n ? n : 0);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (name.equals("model.embed_tokens.weight")) {
                sink.add("token_embd.weight", tensor);
            } else {
                super.modify(tensor, name, block, sink);
            }
        }

        @Override
        void parameters() {
            defaultParameters();
            Double part = rope.number("partial_rotary_factor");
            long head = config.has("head_dim") ? require("head_dim") : require("hidden_size") / positive("num_attention_heads");
            keys.u32(".rope.dimension_count", (long) (head * (part == null ? 0.5 : part)));
            u32(".expert_count", "n_routed_experts");
            u32(".expert_feed_forward_length", "moe_intermediate_size");
            u32(".expert_shared_count", "n_shared_experts");
            u32(".leading_dense_block_count", "first_k_dense_replace");
            keys.u32(".expert_gating_func", 2L);
            f32(".expert_weights_scale", "routed_scaling_factor");
            if (config.has("norm_topk_prob")) {
                keys.bool(".expert_weights_norm", config.get("norm_topk_prob"));
            }
            u32(".nextn_predict_layers", "num_nextn_predict_layers");
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            SentencePieceVariants.glm45(vocabulary);
        }
    }
}
