package ai.luciferai.llama.convert;

import java.io.IOException;
import java.util.List;

/**
 * T5, Flan-T5, mT5 and UMT5: an encoder with a decoder, or the encoder alone.
 *
 * <p><i>Source</i>: llama.cpp, conversion/t5.py.
 */
final class T5Family extends Architecture {

    private final boolean encoderOnly;
    private boolean hasEmbedding;

    T5Family(ModelSource source) {
        super(source);
        this.encoderOnly = keys.architecture().equals("t5encoder");
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        if (!List.of("decoder.embed_tokens.weight", "encoder.embed_tokens.weight", "shared.weight").contains(name)) {
            super.modify(tensor, name, block, sink);
        } else if (!hasEmbedding) { // the same matrix under up to three names
            hasEmbedding = true;
            super.modify(tensor, "shared.weight", block, sink);
        }
    }

    @Override
    void parameters() {
        Object positions = find("n_positions");
        keys.u32(".context_length", positions == null ? 512L : positions);
        keys.u32(".embedding_length", require("d_model"));
        keys.u32(".feed_forward_length", require("d_ff"));
        keys.u32(".block_count", blocks);
        if (!encoderOnly) {
            u32(".decoder_block_count", "num_decoder_layers");
        }
        keys.u32(".attention.head_count", require("num_heads"));
        keys.u32(".attention.key_length", require("d_kv"));
        keys.u32(".attention.value_length", require("d_kv"));
        keys.f32(".attention.layer_norm_epsilon", config.requireNumber("layer_norm_epsilon"));
        keys.u32(".attention.relative_buckets_count", require("relative_attention_num_buckets"));
        keys.f32(".attention.layer_norm_rms_epsilon", config.requireNumber("layer_norm_epsilon"));
        if (!encoderOnly) {
            keys.u32(".decoder_start_token_id", require("decoder_start_token_id"));
        }
        fileType();
    }

    @Override
    void vocabulary(Vocabulary vocabulary) throws IOException {
        new SentencePieceVariants(vocabulary).t5();
    }
}
