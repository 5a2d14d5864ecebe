package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.util.List;

/**
 * Models with Llama's order of query and key rows, and otherwise keys or tokenizers of their own: MiniCPM, Baichuan, XVERSE, InternLM 3,
 * DeepSeek 1, Mistral Small 3.
 *
 * <p><i>Source</i>: llama.cpp, conversion/minicpm.py, mistral3.py, baichuan.py, xverse.py, internlm.py, deepseek.py {@code DeepseekModel}.
 */
final class PermutedFamily {

    private static final String LAYOUT = "Meta AI original pth";

    private PermutedFamily() {}

    /** The text model of Mistral Small 3.1 and 3.2; later models have the same class and another text model. */
    static final class Mistral3 extends LlamaArchitecture {

        Mistral3(ModelSource source) {
            super(source);
            Object text = config.get("model_type");
            if (!"mistral".equals(text)) {
                throw new UnsupportedModelException(source.folder(), "text model of Mistral3ForConditionalGeneration", "mistral", String.valueOf(text));
            }
        }
    }

    /** MiniCPM 1 and 2. */
    static final class MiniCpm extends LlamaArchitecture {

        MiniCpm(ModelSource source) {
            super(source);
        }

        @Override
        void extra(Sink sink) {
            RopeFactors.longAndShort(rope, require("hidden_size") / positive("num_attention_heads"), names, sink);
        }

        @Override
        void parameters() {
            defaultParameters();
            keys.f32(".embedding_scale", config.requireNumber("scale_emb"));
            keys.f32(".residual_scale", config.requireNumber("scale_depth") / Math.sqrt(require("num_hidden_layers")));
            keys.f32(".logit_scale", require("hidden_size") / config.requireNumber("dim_model_base"));
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            vocabulary.sentencePiece();
        }
    }

    /** Baichuan 1 and 2: queries, keys and values in one matrix. The reference recurses for ever here; this is what it means to do. */
    static final class Baichuan extends Architecture {

        Baichuan(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (!name.endsWith(".self_attn.W_pack.weight")) {
                super.modify(tensor, name, block, sink);
                return;
            }
            long heads = require("num_attention_heads");
            long rows = tensor.dim(0) / 3;
            List<Tensor> parts = tensor.split(0, rows, rows, rows);
            sink.add(names.of("ATTN_Q", block), LlamaArchitecture.permute(parts.get(0), heads));
            sink.add(names.of("ATTN_K", block), LlamaArchitecture.permute(parts.get(1), heads));
            sink.add(names.of("ATTN_V", block), parts.get(2));
        }

        @Override
        void parameters() {
            defaultParameters();
            keys.string(".tensor_data_layout", LAYOUT);
            keys.u32(".rope.dimension_count", require("hidden_size") / positive("num_attention_heads"));
        }
    }

    /** XVERSE: SentencePiece without scores, out of tokenizer.json. */
    static final class Xverse extends LlamaArchitecture {

        Xverse(ModelSource source) {
            super(source);
        }

        @Override
        void extra(Sink sink) {}

        @Override
        void parameters() {
            defaultParameters();
            keys.string(".tensor_data_layout", LAYOUT);
            keys.u32(".rope.dimension_count", require("hidden_size") / positive("num_attention_heads"));
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            new SentencePieceVariants(vocabulary).xverse();
        }
    }

    /** InternLM 3. */
    static final class InternLm3 extends LlamaArchitecture {

        InternLm3(ModelSource source) {
            super(source);
        }

        @Override
        void extra(Sink sink) {}

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            new SentencePieceVariants(vocabulary).internLm3();
        }
    }

    /** DeepSeek 1 with experts. */
    static final class DeepSeek1 extends LlamaArchitecture {

        DeepSeek1(ModelSource source) {
            super(source);
            stackExperts("mlp.experts", MLP_EXPERTS, "n_routed_experts", "down_proj", "gate_proj", "up_proj");
        }

        @Override
        void extra(Sink sink) {}

        @Override
        void parameters() {
            defaultParameters();
            keys.u32(".rope.dimension_count", config.has("head_dim") ? config.requireWhole("head_dim")
                    : require("hidden_size") / positive("num_attention_heads"));
            keys.string(".rope.scaling.type", "none");
            keys.u32(".leading_dense_block_count", require("first_k_dense_replace"));
            keys.u32(".vocab_size", require("vocab_size"));
            keys.u32(".expert_feed_forward_length", require("moe_intermediate_size"));
            keys.f32(".expert_weights_scale", 1.0);
            keys.u32(".expert_count", require("n_routed_experts"));
            keys.u32(".expert_shared_count", require("n_shared_experts"));
        }
    }
}
