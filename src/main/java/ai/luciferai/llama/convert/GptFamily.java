package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.util.List;

/**
 * GPT-2, GPT-NeoX (Pythia), Falcon, StarCoder, Bloom, MPT, StableLM: the models before Llama, with biases and fused projections.
 *
 * <p><i>Source</i>: llama.cpp, conversion/gpt2.py, gptneox.py, falcon.py, starcoder.py, bloom.py, mpt.py, stablelm.py.
 */
final class GptFamily {

    private GptFamily() {}

    /** GPT-2: its matrices lie transposed. */
    static final class Gpt2 extends Architecture {

        Gpt2(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (name.endsWith(".attn.bias") || name.endsWith(".attn.masked_bias")) {
                if (tensor.rank() > 1) {
                    return; // the causal mask of old files, which the reference maps by mistake to a bias
                }
            }
            super.modify(liesTransposed(name) ? tensor.transpose() : tensor, name, block, sink);
        }

        @Override
        boolean liesTransposed(String name) {
            return List.of(".c_attn.weight", ".c_proj.weight", ".c_fc.weight").stream().anyMatch(name::endsWith);
        }

        @Override
        void parameters() {
            long embedding = require("n_embd");
            keys.u32(".block_count", blocks);
            keys.u32(".context_length", require("n_ctx", "n_positions"));
            keys.u32(".embedding_length", embedding);
            keys.u32(".feed_forward_length", 4 * embedding);
            keys.u32(".attention.head_count", require("n_head"));
            keys.f32(".attention.layer_norm_epsilon", config.requireNumber("layer_norm_epsilon"));
            fileType();
        }
    }

    /** StarCoder 1. */
    static final class StarCoder extends Architecture {

        StarCoder(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() {
            long embedding = require("n_embd");
            keys.u32(".context_length", require("n_positions"));
            keys.u32(".embedding_length", embedding);
            keys.u32(".feed_forward_length", 4 * embedding);
            keys.u32(".block_count", blocks);
            keys.u32(".attention.head_count", require("n_head"));
            keys.u32(".attention.head_count_kv", 1L);
            keys.f32(".attention.layer_norm_epsilon", config.requireNumber("layer_norm_epsilon"));
            fileType();
        }
    }

    /** [heads, 3, size, …] to [3, heads, size, …]: all queries, all keys, all values. */
    static Tensor separateHeads(Tensor fused, long heads) {
        long size = fused.dim(0) / heads / 3;
        return fused.reshape(heads, 3, size, fused.count() / fused.dim(0)).permute(1, 0, 2, 3).reshape(fused.shape());
    }

    /** GPT-NeoX and Pythia. */
    static final class Neox extends Architecture {

        Neox(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            boolean fused = name.matches("gpt_neox\\.layers\\.\\d+\\.attention\\.query_key_value\\.(weight|bias)");
            super.modify(fused ? separateHeads(tensor, require("n_head", "num_attention_heads")) : tensor, name, block, sink);
        }

        @Override
        void parameters() {
            keys.u32(".context_length", require("max_position_embeddings"));
            keys.u32(".embedding_length", require("hidden_size"));
            keys.u32(".block_count", blocks);
            keys.u32(".feed_forward_length", require("intermediate_size"));
            keys.u32(".rope.dimension_count",
                    (long) (config.requireNumber("rotary_pct") * (require("hidden_size") / positive("num_attention_heads"))));
            keys.u32(".attention.head_count", require("num_attention_heads"));
            keys.bool(".use_parallel_residual", !Boolean.FALSE.equals(config.get("use_parallel_residual")));
            keys.f32(".attention.layer_norm_epsilon", config.requireNumber("layer_norm_eps"));
        }
    }

    /** Bloom. */
    static final class Bloom extends Architecture {

        Bloom(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            String plain = name.replace("transformer.", "");
            boolean fused = plain.matches("h\\.\\d+\\.self_attention\\.query_key_value\\.(weight|bias)");
            super.modify(fused ? separateHeads(tensor, require("n_head", "num_attention_heads")) : tensor, plain, block, sink);
        }

        @Override
        void parameters() {
            long embedding = require("hidden_size", "n_embed");
            long heads = require("n_head", "num_attention_heads");
            keys.u32(".context_length", config.values().getOrDefault("seq_length", embedding));
            keys.u32(".embedding_length", embedding);
            keys.u32(".feed_forward_length", 4 * embedding);
            keys.u32(".block_count", blocks);
            keys.u32(".attention.head_count", heads);
            keys.u32(".attention.head_count_kv", heads);
            keys.f32(".attention.layer_norm_epsilon", config.requireNumber("layer_norm_epsilon"));
            fileType();
        }
    }

    /** Falcon: each key-value group holds its queries, one key and one value. */
    static final class Falcon extends Architecture {

        Falcon(ModelSource source) {
            super(source);
        }

        private long keyValueHeads() {
            // Without the new decoder architecture, multi_query means one head; the class default of num_kv_heads does not say so and
            // makes the reference fail.
            boolean one = !Boolean.TRUE.equals(config.get("new_decoder_architecture")) && !Boolean.FALSE.equals(config.get("multi_query"));
            Object given = modelConfig().raw().get("num_kv_heads");
            return given instanceof Long n ? n : one ? 1
                    : find("num_kv_heads", "n_head_kv") instanceof Long n ? n : 1;
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            super.modify(name.contains("query_key_value") ? separate(tensor) : tensor, name, block, sink);
        }

        private Tensor separate(Tensor fused) {
            long heads = require("num_attention_heads", "n_head");
            long groups = keyValueHeads();
            long size = require("hidden_size") / heads;
            long perGroup = heads / groups + 2;
            Tensor seen = fused.reshape(groups, perGroup, size, fused.count() / (groups * perGroup * size));
            var parts = List.of(seen.slice(1, 0, perGroup - 2), seen.slice(1, perGroup - 2, perGroup - 1), seen.slice(1, perGroup - 1, perGroup));
            return Tensor.concat(parts.stream().map(part -> part.reshape(part.count() / fused.dim(-1), fused.dim(-1))).toList())
                    .reshape(fused.shape());
        }

        @Override
        void parameters() {
            long embedding = require("hidden_size");
            keys.u32(".context_length", 2048L);
            keys.string(".tensor_data_layout", "jploski");
            keys.u32(".embedding_length", embedding);
            keys.u32(".feed_forward_length", 4 * embedding);
            keys.u32(".block_count", blocks);
            keys.u32(".attention.head_count", require("num_attention_heads", "n_head"));
            keys.u32(".attention.head_count_kv", keyValueHeads());
            keys.f32(".attention.layer_norm_epsilon", config.requireNumber("layer_norm_epsilon"));
            fileType();
        }
    }

    /** MPT. */
    static final class Mpt extends Architecture {

        Mpt(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (name.contains("scales")) {
                sink.add(map(name.replaceFirst("\\.scales$", "")) + ".act.scales", tensor);
            } else {
                super.modify(tensor, name, block, sink);
            }
        }

        @Override
        void parameters() {
            long embedding = require("d_model");
            var attention = config.requireObject("attn_config");
            keys.u32(".context_length", require("max_seq_len"));
            keys.u32(".embedding_length", embedding);
            keys.u32(".block_count", blocks);
            keys.u32(".feed_forward_length", 4 * embedding);
            keys.u32(".attention.head_count", require("n_heads"));
            if (attention.get("kv_n_heads") instanceof Long heads && heads > 0) {
                keys.u32(".attention.head_count_kv", heads);
            }
            keys.f32(".attention.layer_norm_epsilon", 1e-5);
            optional(".attention.clamp_kqv", attention.get("clip_qkv"));
            keys.f32(".attention.max_alibi_bias", Boolean.TRUE.equals(attention.get("alibi")) ? attention.get("alibi_bias_max") : (Object) 0.0);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            if (!vocabulary.has("tokenizer.model") || vocabulary.has("tokenizer.json")) {
                vocabulary.byteLevel();
                return;
            }
            vocabulary.sentencePiece(); // SEA-LION
            keys.bool("tokenizer.ggml.add_bos_token", false);
            keys.u32("tokenizer.ggml.padding_token_id", 3L);
            keys.u32("tokenizer.ggml.eos_token_id", 1L);
            keys.u32("tokenizer.ggml.unknown_token_id", 0L);
        }
    }

    /** StableLM, also with a norm per head. */
    static final class StableLm extends Architecture {

        private final HeadNorms norms = new HeadNorms();

        StableLm(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (!name.contains("_layernorm.norms")) {
                super.modify(tensor, name, block, sink);
                return;
            }
            boolean query = name.contains("q_layernorm");
            Tensor all = norms.take(tensor, name, require(query ? "num_attention_heads" : "num_key_value_heads"));
            if (all != null) {
                String merged = "model.layers." + block + ".self_attn." + (query ? "q" : "k") + "_layernorm.weight";
                super.modify(all, merged, block, sink);
            }
        }

        @Override
        void finish(Sink sink) {
            norms.requireComplete(source.folder());
        }

        @Override
        void parameters() {
            keys.u32(".context_length", require("max_position_embeddings"));
            keys.u32(".embedding_length", require("hidden_size"));
            keys.u32(".block_count", blocks);
            keys.u32(".feed_forward_length", require("intermediate_size"));
            keys.u32(".rope.dimension_count",
                    (long) (rope.requireNumber("partial_rotary_factor") * (require("hidden_size") / positive("num_attention_heads"))));
            keys.u32(".attention.head_count", require("num_attention_heads"));
            keys.u32(".attention.head_count_kv", require("num_key_value_heads"));
            keys.bool(".use_parallel_residual", config.values().getOrDefault("use_parallel_residual", true));
            keys.f32(".attention.layer_norm_epsilon", find("layer_norm_eps", "norm_eps"));
            fileType();
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            if (!vocabulary.has("tokenizer.json")) {
                throw new UnsupportedModelException(source.folder(), "tokenizer", "tokenizer.json", "none",
                        "old StableLM 2 uploads have a tiktoken vocabulary: take tokenizer.json of the current one");
            }
            vocabulary.byteLevel();
        }
    }
}
