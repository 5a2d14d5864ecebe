package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;

/**
 * Phi-2, Phi-3, 3.5 and 4-mini.
 *
 * <p><i>Source</i>: llama.cpp, conversion/phi.py.
 */
final class PhiFamily {

    private PhiFamily() {}

    /** Phi-2. */
    static final class Phi2 extends Architecture {

        Phi2(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() {
            long embedding = require("hidden_size", "n_embd");
            long heads = require("num_attention_heads", "n_head");
            keys.u32(".context_length", require("n_positions", "max_position_embeddings"));
            keys.u32(".embedding_length", embedding);
            keys.u32(".feed_forward_length", 4 * embedding);
            keys.u32(".block_count", blocks);
            keys.u32(".attention.head_count", heads);
            keys.u32(".attention.head_count_kv", heads);
            keys.f32(".attention.layer_norm_epsilon", find("layer_norm_epsilon", "layer_norm_eps"));
            keys.u32(".rope.dimension_count", (long) (rope.requireNumber("partial_rotary_factor") * embedding) / heads);
            fileType();
            keys.bool("tokenizer.ggml.add_bos_token", false);
        }
    }

    /** Phi-3 and later. */
    static class Phi3 extends Architecture {

        private final long context;
        private final long originalContext;
        private final long rotary;

        Phi3(ModelSource source) {
            super(source);
            this.context = require("n_positions", "max_position_embeddings");
            this.originalContext = rope.requireWhole("original_max_position_embeddings");
            Double part = rope.number("partial_rotary_factor");
            this.rotary = (long) ((part == null ? 1 : part) * require("hidden_size", "n_embd")) / positive("num_attention_heads", "n_head");
        }

        @Override
        void extra(Sink sink) {
            if (RopeFactors.isLong(rope)) {
                keys.f32(".rope.scaling.attn_factor", attentionFactor((double) context / originalContext));
                RopeFactors.longAndShort(rope, rotary, names, sink);
            }
        }

        private double attentionFactor(double scale) {
            String type = String.valueOf(rope.get("rope_type"));
            return switch (type) {
                case "su", "longrope" -> scale > 1 ? Math.sqrt(1 + Math.log(scale) / Math.log(originalContext)) : 1;
                case "yarn" -> scale > 1 ? 0.1 * Math.log(scale) + 1 : 1;
                default -> throw new UnsupportedModelException(source.folder(), "rope scaling", "su, longrope or yarn", type);
            };
        }

        @Override
        void parameters() {
            keys.u32(".context_length", context);
            keys.u32(".rope.scaling.original_context_length", originalContext);
            keys.u32(".embedding_length", require("hidden_size", "n_embd"));
            keys.u32(".feed_forward_length", require("intermediate_size"));
            keys.u32(".block_count", blocks);
            keys.u32(".attention.head_count", require("num_attention_heads", "n_head"));
            keys.u32(".attention.head_count_kv", require("num_key_value_heads", "n_head_kv"));
            keys.f32(".attention.layer_norm_rms_epsilon", find("rms_norm_eps"));
            keys.u32(".rope.dimension_count", rotary);
            keys.f32(".rope.freq_base", fullRope().get("rope_theta"));
            fileType();
            keys.u32(".attention.sliding_window", config.has("sliding_window") ? config.get("sliding_window") : (Object) 0L);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            if ("GPT2Tokenizer".equals(vocabulary.tokenizerConfig().get("tokenizer_class"))) {
                vocabulary.byteLevel();
            } else if (!vocabulary.has("tokenizer.model") && vocabulary.has("tokenizer.json")) {
                vocabulary.fastTokenizer();
            } else {
                new SentencePieceVariants(vocabulary).phi3();
            }
        }
    }
}
