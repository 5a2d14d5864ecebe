package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.util.List;

/**
 * Gemma 1, 2 and 3 (text). Their norms are stored without the one that they mean.
 *
 * <p><i>Source</i>: llama.cpp, conversion/gemma.py.
 */
final class GemmaFamily {

    private GemmaFamily() {}

    /** Gemma 1 and 2. */
    static class Gemma extends Architecture {

        Gemma(ModelSource source) {
            super(source);
        }

        @Override
        String filter(String name) {
            return name.equals("lm_head.weight") ? null : super.filter(name);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            super.modify(name.endsWith("norm.weight") ? tensor.plusOne() : tensor, name, block, sink);
        }

        @Override
        void parameters() throws IOException {
            keys.u32(".context_length", require("max_position_embeddings"));
            keys.u32(".embedding_length", require("hidden_size"));
            keys.u32(".block_count", blocks);
            keys.u32(".feed_forward_length", require("intermediate_size"));
            keys.u32(".attention.head_count", require("num_attention_heads"));
            keys.u32(".attention.head_count_kv", require("num_key_value_heads", "num_attention_heads"));
            keys.f32(".attention.layer_norm_rms_epsilon", config.requireNumber("rms_norm_eps"));
            keys.u32(".attention.key_length", require("head_dim"));
            keys.u32(".attention.value_length", require("head_dim"));
            fileType();
            source.entry().writeKeys(config, keys);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            vocabulary.sentencePiece();
            if (keys.architecture().equals("gemma")) { // CodeGemma's tokens; llama.cpp knows only the last of them
                SpecialTokens tokens = SpecialTokens.read(vocabulary.files(), false, null, List.of("prefix", "suffix", "middle", "fsep", "eot"));
                tokens.set("eot", 107L);
                tokens.chatTemplate(null);
                tokens.write(keys);
            }
            keys.bool("tokenizer.ggml.add_space_prefix", false);
        }
    }

    /** Gemma 3. */
    static final class Gemma3 extends Architecture {

        private long realVocabulary = -1;

        Gemma3(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            Tensor cut = name.contains("embed_tokens.weight") ? tensor.slice(0, 0, Math.min(tensor.dim(0), realVocabulary())) : tensor;
            super.modify(name.endsWith("norm.weight") ? cut.plusOne() : cut, name, block, sink);
        }

        /** Rows of the embedding that stand for a token. */
        private long realVocabulary() {
            if (realVocabulary < 0) {
                try {
                    var vocabulary = new Vocabulary(source.files(), config, keys, null);
                    if (vocabulary.has("tokenizer.model")) {
                        realVocabulary = vocabulary.sentencePieceTable().size();
                    } else {
                        JsonObject json = source.files().json("tokenizer.json");
                        realVocabulary = json.requireObject("model").requireObject("vocab").values().size() + json.list("added_tokens").size();
                    }
                } catch (IOException fault) {
                    throw new java.io.UncheckedIOException(fault);
                }
            }
            return realVocabulary;
        }

        @Override
        void parameters() throws IOException {
            defaultParameters();
            keys.u32(".context_length", or("max_position_embeddings", 131072L));
            keys.u32(".attention.head_count", or("num_attention_heads", 8L));
            keys.f32(".attention.layer_norm_rms_epsilon", or("rms_norm_eps", 1e-6));
            keys.u32(".attention.key_length", or("head_dim", 256L));
            keys.u32(".attention.value_length", or("head_dim", 256L));
            keys.f32(".rope.freq_base", fullRope().has("rope_theta") ? fullRope().get("rope_theta") : (Object) 1_000_000.0);
            if (config.has("final_logit_softcapping")) {
                keys.f32(".final_logit_softcapping", config.get("final_logit_softcapping"));
            }
            if (!Long.valueOf(1).equals(config.get("sliding_window_pattern"))) {
                keys.u32(".attention.sliding_window", require("sliding_window"));
            }
            keys.u32(".attention.head_count_kv", or("num_key_value_heads", 4L));
        }

        private Object or(String key, Object otherwise) {
            return config.values().getOrDefault(key, otherwise);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            if (vocabulary.has("tokenizer.model")) {
                vocabulary.sentencePiece();
                keys.bool("tokenizer.ggml.add_space_prefix", false);
            } else {
                vocabulary.byteLevel();
            }
        }
    }
}
