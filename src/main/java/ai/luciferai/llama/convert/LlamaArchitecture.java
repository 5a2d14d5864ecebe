package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Llama and what is built like it: the rows of the query and key projections are put into the order of rotary pairs, the experts of a
 * layer are stacked, and Llama 3's scaled rotary frequencies become a tensor.
 *
 * <p><i>Source</i>: llama.cpp, conversion/llama.py {@code LlamaModel}.
 */
class LlamaArchitecture extends Architecture {

    LlamaArchitecture(ModelSource source) {
        super(source);
        stackExperts("block_sparse_moe.experts", "layers.{bid}.feed_forward.experts.{xid}.weight", "num_local_experts", "w1", "w2", "w3");
    }

    @Override
    String filter(String name) {
        String plain = super.filter(name.replace("text_model.", ""));
        return plain != null && source.architecture().equals("LlamaModel") ? "model." + plain : plain;
    }

    @Override
    void extra(Sink sink) {
        llama3Frequencies(sink);
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        super.modify(permuted(tensor, name), name, block, sink);
    }

    /** Query and key projections with the rows of each head reordered: halves become pairs. */
    protected final Tensor permuted(Tensor tensor, String name) {
        if (name.endsWith("q_proj.weight") || name.endsWith("q_proj.bias")) {
            return permute(tensor, require("n_heads", "num_attention_heads"));
        }
        if (name.endsWith("k_proj.weight") || name.endsWith("k_proj.bias")) {
            Object heads = find("n_kv_heads", "num_key_value_heads");
            return permute(tensor, heads instanceof Long n ? n : require("n_heads", "num_attention_heads"));
        }
        return tensor;
    }

    /** Rows seen as [heads, 2, half], the last two exchanged. */
    static Tensor permute(Tensor tensor, long heads) {
        long half = tensor.dim(0) / heads / 2;
        Tensor split = tensor.rank() == 1 ? tensor.reshape(heads, 2, half, 1) : tensor.reshape(heads, 2, half, tensor.count() / tensor.dim(0));
        return split.permute(0, 2, 1, 3).reshape(tensor.shape());
    }

    /** The factors by which Llama 3.1 and later divide their rotary frequencies. */
    protected final void llama3Frequencies(Sink sink) {
        JsonObject parameters = fullRope();
        if (parameters.get("rope_type") instanceof String type && type.equalsIgnoreCase("llama3")) {
            Long dim = config.whole("head_dim");
            sink.add(names.of("ROPE_FREQS", -1), RopeFactors.llama3(parameters,
                    dim != null ? dim : require("hidden_size") / positive("num_attention_heads")));
        }
    }

    @Override
    void parameters() throws IOException {
        defaultParameters();
        llamaParameters();
        source.entry().writeKeys(config, keys);
    }

    /** Vocabulary size and rotary dimensions. */
    protected final void llamaParameters() {
        keys.u32(".vocab_size", config.requireWhole("vocab_size"));
        Long dim = config.whole("head_dim");
        keys.u32(".rope.dimension_count", dim != null ? dim : require("hidden_size") / positive("num_attention_heads"));
    }
}
