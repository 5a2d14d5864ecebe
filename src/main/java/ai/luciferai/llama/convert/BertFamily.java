package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Encoders: BERT, ModernBERT, DistilBERT, RoBERTa, XLM-RoBERTa, Nomic-BERT.
 *
 * <p><i>Source</i>: llama.cpp, conversion/bert.py.
 */
class BertFamily extends Architecture {

    /** The parts of a model around its encoder, of no use for embeddings. */
    private static final List<String> DROPPED =
            List.of("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias");

    private final List<String> labels;

    BertFamily(ModelSource source) {
        super(source);
        this.labels = labels();
    }

    /** Class names of a classifier, in order; null for an encoder. */
    private List<String> labels() {
        if (!(modelConfig().raw().get("id2label") instanceof Map<?, ?> map) || map.isEmpty()) {
            return null;
        }
        var sorted = new TreeMap<Integer, String>();
        for (var label : map.entrySet()) {
            try {
                sorted.put(Integer.valueOf(String.valueOf(label.getKey())), String.valueOf(label.getValue()));
            } catch (NumberFormatException odd) {
                throw new InvalidFileException(config.file(), "id2label", "numbers as keys", String.valueOf(label.getKey()));
            }
        }
        return sorted.size() == 2 && "LABEL_0".equals(sorted.get(0)) ? null : List.copyOf(sorted.values());
    }

    @Override
    String filter(String name) {
        String plain = name.startsWith("bert.") ? name.substring(5) : name;
        plain = plain.endsWith(".gamma") ? plain.substring(0, plain.length() - 6) + ".weight" : plain;
        plain = plain.endsWith(".beta") ? plain.substring(0, plain.length() - 5) + ".bias" : plain;
        return DROPPED.contains(plain) || plain.startsWith("cls.predictions") || plain.startsWith("cls.seq_relationship") ? null
                : super.filter(plain);
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        boolean head = labels != null && (name.equals("classifier.weight") || name.equals("classifier.bias"));
        super.modify(tensor, head ? name.replace("classifier.", "classifier.out_proj.") : name, block, sink);
    }

    @Override
    void parameters() throws IOException {
        super.parameters();
        keys.bool(".attention.causal", false);
        poolingType();
        if (labels != null) {
            keys.list(".classifier.output_labels", labels);
        }
    }

    @Override
    void vocabulary(Vocabulary vocabulary) throws IOException {
        FastTokenizer tokenizer = FastTokenizer.read(vocabulary.files());
        String pre = vocabulary.preTokenizer(tokenizer);
        TokenTable plain = vocabulary.table(tokenizer);
        keys.u32("tokenizer.ggml.token_type_count", config.values().getOrDefault("type_vocab_size", 1L));
        var table = new TokenTable();
        for (int id = 0; id < plain.size(); id++) {
            String text = plain.text(id);
            boolean control = plain.type(id) == TokenTable.CONTROL;
            // A word begins with the mark that SentencePiece uses, its further parts have none.
            table.add(control ? text : text.startsWith("##") ? text.substring(2) : "\u2581" + text, 0, plain.type(id));
        }
        keys.string("tokenizer.ggml.model", "bert");
        keys.string("tokenizer.ggml.pre", pre);
        table.write(keys, false);
        SpecialTokens.read(vocabulary.files(), false, (long) table.size()).write(keys);
    }

    /** ModernBERT: byte-level BPE, and a window in most layers. */
    static final class Modern extends BertFamily {

        Modern(ModelSource source) {
            super(source);
        }

        @Override
        String filter(String name) {
            return super.filter(name.startsWith("model.") ? name.substring("model.".length()) : name);
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            if (!keys.has(".attention.layer_norm_epsilon")) { // transformers writes norm_eps, and llama.cpp loads no model without the key
                f32(".attention.layer_norm_epsilon", "norm_eps");
            }
            keys.u32(".attention.sliding_window", require("local_attention"));
            if (config.has("global_attn_every_n_layers")) {
                keys.u32(".attention.sliding_window_pattern", config.get("global_attn_every_n_layers"));
            }
            keys.string(".rope.scaling.type", "none");
            keys.u32(".vocab_size", require("vocab_size"));
            if (config.has("hidden_activation")) {
                keys.string(".hidden_activation", config.get("hidden_activation"));
            }
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            for (String token : List.of("bos", "eos", "sep")) {
                keys.bool("tokenizer.ggml.add_" + token + "_token", true);
            }
            vocabulary.byteLevel();
        }
    }

    /** DistilBERT. */
    static final class Distil extends BertFamily {

        Distil(ModelSource source) {
            super(source);
        }

        @Override
        String filter(String name) {
            String plain = name.startsWith("distilbert.") ? name.substring("distilbert.".length()) : name;
            return plain.startsWith("vocab_") ? null : super.filter(plain);
        }

        @Override
        void parameters() throws IOException {
            keys.f32(".attention.layer_norm_epsilon", 1e-12);
            super.parameters();
        }
    }

    /** RoBERTa and XLM-RoBERTa: positions are counted from behind the padding token. */
    static final class Roberta extends BertFamily {

        private final long offset;
        private final boolean unigram;

        Roberta(ModelSource source) {
            super(source);
            this.unigram = source.entry().vocabulary().equals("unigram");
            // Of -1, for no padding token, transformers counts positions from 0.
            this.offset = config.has("pad_token_id") ? Math.max(0, 1 + config.requireWhole("pad_token_id")) : 0;
            if (config.has("max_position_embeddings")) {
                config.values().put("max_position_embeddings", config.requireWhole("max_position_embeddings") - offset);
            }
            if (config.has("lora_adaptations")) {
                throw new UnsupportedModelException(source.folder(), "adapters inside the checkpoint", "none", "jina-embeddings-v3");
            }
        }

        @Override
        String filter(String name) {
            return super.filter(name.startsWith("roberta.") ? name.substring("roberta.".length()) : name);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            boolean positions = name.equals("embeddings.position_embeddings.weight");
            super.modify(positions ? tensor.slice(0, offset, tensor.dim(0)) : tensor, name, block, sink);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            Object tokenTypes = config.values().getOrDefault("type_vocab_size", 1L);
            if (unigram) {
                new SentencePieceVariants(vocabulary).xlmRoberta(tokenTypes);
            } else {
                vocabulary.byteLevel();
                keys.u32("tokenizer.ggml.token_type_count", tokenTypes);
            }
        }
    }

    /** Nomic-BERT, dense. */
    static final class Nomic extends BertFamily {

        Nomic(ModelSource source) {
            super(source);
            if (config.has("moe_every_n_layers") && config.requireWhole("moe_every_n_layers") > 0) {
                throw new UnsupportedModelException(source.folder(), "Nomic-BERT with experts", "the dense model", "moe_every_n_layers");
            }
            long positions = config.requireWhole("n_positions");
            long trained = config.has("max_trained_positions") ? config.requireWhole("max_trained_positions") : 2048;
            if (positions != 8192 && positions != 2048 || trained != 2048) {
                throw new UnsupportedModelException(source.folder(), "number of positions", "8192 or 2048, trained for 2048",
                        positions + ", trained for " + trained);
            }
            config.values().put("n_positions", positions == 8192 ? 2048L : 512L);
        }
    }
}
