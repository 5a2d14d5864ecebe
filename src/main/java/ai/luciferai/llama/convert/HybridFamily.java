package ai.luciferai.llama.convert;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Models of which only some layers attend: LFM2 (short convolutions) and Jamba (Mamba layers, experts).
 *
 * <p><i>Source</i>: llama.cpp, conversion/lfm2.py, jamba.py.
 */
final class HybridFamily {

    private HybridFamily() {}

    /** LFM2. */
    static final class Lfm2 extends Architecture {

        private static final List<String> AUDIO =
                List.of("audio", "codebook", "conformer", "depth_embedding", "depthformer", "depth_linear");

        Lfm2(ModelSource source) {
            super(source);
        }

        @Override
        String filter(String name) {
            return AUDIO.stream().anyMatch(name::contains) ? null : super.filter(name.replace("lfm.", "model."));
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            super.modify(name.contains("conv.conv") ? tensor.reshape(tensor.dim(0), tensor.dim(2)) : tensor, name, block, sink);
        }

        @Override
        void parameters() {
            long heads = require("num_key_value_heads");
            var perLayer = new ArrayList<Object>();
            config.texts("layer_types").forEach(type -> perLayer.add("conv".equals(type) ? 0L : heads));
            config.values().put("num_key_value_heads", perLayer);
            defaultParameters();
            keys.u32(".vocab_size", require("vocab_size"));
            keys.u32(".shortconv.l_cache", require("conv_L_cache"));
            keys.f32(".attention.layer_norm_rms_epsilon", config.requireNumber("norm_eps"));
            keys.u32(".feed_forward_length", feedForward());
        }

        private long feedForward() {
            long width = require("block_ff_dim", "intermediate_size");
            if (!Boolean.TRUE.equals(config.get("block_auto_adjust_ff_dim"))) {
                return width;
            }
            width = 2 * width / 3;
            width = config.has("block_ffn_dim_multiplier") ? (long) (config.requireNumber("block_ffn_dim_multiplier") * width) : width;
            long multiple = require("block_multiple_of");
            return multiple * ((width + multiple - 1) / multiple);
        }
    }

    /** Jamba. */
    static final class Jamba extends Architecture {

        Jamba(ModelSource source) {
            super(source);
            stackExperts(".feed_forward.experts.", MLP_EXPERTS, "num_experts", "down_proj", "gate_proj", "up_proj");
        }

        @Override
        void modify(Tensor tensor, String given, int block, Sink sink) {
            String name = given.replace(".moe.", ".feed_forward.");
            if (block >= 0 && !hasExperts(block)) {
                name = name.replace(".experts.0.", ".");
            }
            if (takeExpert(tensor, name, block, sink)) {
                return;
            }
            String mapped = map(name);
            Tensor shaped = names.is(mapped, "SSM_CONV1D", block) ? tensor.squeeze() : tensor;
            sink.add(mapped, name.endsWith(".A_log") ? MambaFamily.decay(shaped) : shaped);
        }

        private boolean hasExperts(int block) {
            long offset = require("expert_layer_offset");
            return block >= offset && (block - offset) % positive("expert_layer_period") == 0;
        }

        @Override
        void parameters() {
            long width = require("hidden_size", "mamba_d_model");
            keys.u32(".block_count", blocks);
            keys.u32(".context_length", require("max_position_embeddings", "n_ctx"));
            keys.u32(".embedding_length", width);
            keys.u32(".feed_forward_length", require("intermediate_size"));
            keys.u32(".attention.head_count", require("num_attention_heads"));
            keys.list(".attention.head_count_kv", headsPerLayer());
            keys.u32(".ssm.conv_kernel", or("mamba_d_conv", 4));
            keys.u32(".ssm.inner_size", require("mamba_expand") * width);
            keys.u32(".ssm.state_size", or("mamba_d_state", 16));
            keys.u32(".ssm.time_step_rank", or("mamba_dt_rank", (width + 15) / 16));
            Object epsilon = find("layer_norm_epsilon", "rms_norm_eps");
            keys.f32(".attention.layer_norm_rms_epsilon", epsilon == null ? 1e-6 : epsilon);
            keys.u32(".expert_count", require("num_local_experts", "num_experts"));
            keys.u32(".expert_used_count", require("num_experts_per_tok", "num_experts_per_token"));
            fileType();
        }

        private Object or(String key, long otherwise) {
            return config.get(key) instanceof Long n && n != 0 ? n : (Object) otherwise;
        }

        private List<Object> headsPerLayer() {
            long offset = require("attn_layer_offset");
            var heads = new ArrayList<>();
            for (long layer = 0; layer < blocks; layer++) {
                boolean attends = layer >= offset && (layer - offset) % positive("attn_layer_period") == 0;
                heads.add(attends ? require("num_key_value_heads") : 0L);
            }
            return heads;
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            if (vocabulary.has("tokenizer.model")) {
                vocabulary.sentencePiece();
            } else {
                vocabulary.byteFallback();
                keys.bool("tokenizer.ggml.add_space_prefix", false);
            }
        }
    }
}
