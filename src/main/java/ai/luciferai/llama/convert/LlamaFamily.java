package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Models close to Llama: OLMo, Granite, InternLM 2, Nemotron, EXAONE, GLM-4, ERNIE 4.5, Llama 4, Command-R.
 *
 * <p><i>Source</i>: llama.cpp, conversion/olmo.py, granite.py, internlm.py, nemotron.py, exaone.py, glm.py, ernie.py,
 * llama.py {@code Llama4Model}, command_r.py.
 */
final class LlamaFamily {

    private LlamaFamily() {}

    /** OLMo 1: Llama's row order, norms without weights. */
    static final class Olmo extends LlamaArchitecture {

        Olmo(ModelSource source) {
            super(source);
        }

        @Override
        void extra(Sink sink) {}

        @Override
        void parameters() {
            defaultParameters();
            keys.f32(".attention.layer_norm_epsilon", 1e-5);
            f32(".attention.clamp_kqv", "clip_qkv");
        }
    }

    /** OLMo 2 and 3: some layers with a window. */
    static final class Olmo2 extends Architecture {

        Olmo2(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() {
            defaultParameters();
            if (config.has("sliding_window")) {
                keys.u32(".attention.sliding_window", config.get("sliding_window"));
                keys.list(".attention.sliding_window_pattern", config.get("layer_types") instanceof List<?> types
                        ? slidingLayers(types) : windowPattern(blocks, 4));
            }
        }
    }

    /** Which layers are sliding ones, by their names. */
    static List<Object> slidingLayers(List<?> types) {
        return types.stream().map(type -> (Object) "sliding_attention".equals(type)).toList();
    }

    /** Every n-th layer without a window. */
    static List<Object> windowPattern(long layers, long n) {
        var pattern = new ArrayList<>();
        for (long i = 0; i < layers; i++) {
            pattern.add((i + 1) % n != 0);
        }
        return pattern;
    }

    /** Granite: Llama with scales, and no head size of its own. */
    static class Granite extends LlamaArchitecture {

        Granite(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() throws IOException {
            config.values().remove("head_dim");
            super.parameters();
        }
    }

    /** InternLM 2: queries, keys and values of a group lie together. */
    static final class InternLm2 extends Architecture {

        InternLm2(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (block < 0 || !name.contains("model.layers." + block + ".attention.wqkv")) {
                super.modify(tensor, name, block, sink);
                return;
            }
            long heads = require("num_attention_heads");
            long groups = require("num_key_value_heads");
            long perGroup = heads / groups;
            long size = require("hidden_size") / heads;
            long width = tensor.dim(-1);
            Tensor seen = tensor.reshape(groups, perGroup + 2, size, width);
            sink.add(names.of("ATTN_Q", block), pairs(seen.slice(1, 0, perGroup)));
            sink.add(names.of("ATTN_K", block), pairs(seen.slice(1, perGroup, perGroup + 1)));
            sink.add(names.of("ATTN_V", block), seen.slice(1, perGroup + 1, perGroup + 2).reshape(groups * size, width));
        }

        /** [groups, heads, size, width] with the rows of each head reordered into rotary pairs. */
        private static Tensor pairs(Tensor part) {
            long rows = part.dim(0) * part.dim(1) * part.dim(2);
            return part.reshape(part.dim(0), part.dim(1), 2, part.dim(2) / 2, part.dim(3)).permute(0, 1, 3, 2, 4).reshape(rows, part.dim(3));
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            new SentencePieceVariants(vocabulary).internLm2();
        }
    }

    /** Nemotron: norms without their one, part of each head rotated. */
    static final class Nemotron extends Architecture {

        Nemotron(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            super.modify(name.endsWith("norm.weight") ? tensor.plusOne() : tensor, name, block, sink);
        }

        @Override
        void parameters() {
            defaultParameters();
            keys.u32(".vocab_size", config.requireWhole("vocab_size"));
            f32(".attention.layer_norm_epsilon", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps");
            keys.u32(".rope.dimension_count", (long) (rope.requireNumber("partial_rotary_factor") * require("hidden_size", "n_embd"))
                    / positive("num_attention_heads", "n_head"));
            Object factor = config.has("factor") ? config.get("factor") : rope.get("factor");
            keys.string(".rope.scaling.type", factor == null ? "none" : "linear");
            optional(".rope.scaling.factor", factor);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            vocabulary.sentencePiece();
            keys.u32("tokenizer.ggml.padding_token_id", 0L);
            keys.u32("tokenizer.ggml.unknown_token_id", 1L);
        }
    }

    /** EXAONE 3 and 4: Llama's frequencies without its row order. */
    static final class Exaone extends LlamaArchitecture {

        Exaone(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            sink.add(map(name), tensor);
        }

        @Override
        void parameters() {
            defaultParameters();
            if (keys.architecture().equals("exaone")) {
                Double part = rope.number("partial_rotary_factor");
                keys.u32(".rope.dimension_count", (long) ((part == null ? 1 : part) * (require("hidden_size") / positive("num_attention_heads"))));
                return;
            }
            keys.u32(".vocab_size", config.requireWhole("vocab_size"));
            if (config.has("sliding_window")) {
                keys.u32(".attention.sliding_window", config.get("sliding_window"));
                keys.list(".attention.sliding_window_pattern", pattern());
            }
        }

        private List<Object> pattern() {
            if (config.get("layer_types") instanceof List<?> types) {
                return slidingLayers(types);
            }
            if (config.get("sliding_window_pattern") instanceof String letters && !letters.isEmpty()) { // LLLG
                var pattern = new ArrayList<>();
                for (int i = 0; i < blocks; i++) {
                    pattern.add(letters.charAt(i % letters.length()) == 'L');
                }
                return pattern;
            }
            return config.get("sliding_window_pattern") instanceof Long n && n > 0 ? windowPattern(blocks, n) : List.of();
        }
    }

    /** GLM-4 (the 0414 models). */
    static final class Glm4 extends Architecture {

        Glm4(ModelSource source) {
            super(source);
        }

        private double rotated() {
            Double part = rope.number("partial_rotary_factor");
            return part == null ? 0.5 : part;
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            boolean projection = name.matches(".*[qk]_proj\\.(weight|bias)");
            super.modify(projection && rope.has("mrope_section") ? halves(tensor) : tensor, name, block, sink);
        }

        /** Of each head, the rotated rows with even index before those with odd index. */
        private Tensor halves(Tensor tensor) {
            long size = headSize();
            long rotary = (long) (size * rotated());
            long heads = tensor.dim(0) / size;
            Tensor seen = tensor.reshape(heads, size, tensor.count() / tensor.dim(0));
            var parts = new ArrayList<Tensor>();
            for (long head = 0; head < heads; head++) {
                Tensor one = seen.slice(0, head, head + 1).reshape(size, seen.dim(2));
                Tensor turned = one.slice(0, 0, rotary);
                parts.add(turned.every(0, 0, 2));
                parts.add(turned.every(0, 1, 2));
                parts.add(one.slice(0, rotary, size));
            }
            return Tensor.concat(parts).reshape(tensor.shape());
        }

        private long headSize() {
            return config.has("head_dim") ? config.requireWhole("head_dim") : require("hidden_size") / positive("num_attention_heads");
        }

        @Override
        void parameters() {
            defaultParameters();
            keys.u32(".rope.dimension_count", (long) (headSize() * rotated()));
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            SentencePieceVariants.glm4(vocabulary);
        }
    }

    /** ERNIE 4.5 (dense): fused projections are split where a checkpoint has them. */
    static class Ernie extends Architecture {

        Ernie(ModelSource source) {
            super(source);
        }

        @Override
        String filter(String name) {
            return super.filter(name.replace("ernie.", "model."));
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (name.contains("qkv_proj")) {
                long heads = require("num_attention_heads");
                long size = config.has("head_dim") ? config.requireWhole("head_dim") : require("hidden_size") / heads;
                long keyRows = require("num_key_value_heads") * size;
                split(tensor, name, "qkv_proj", List.of("q_proj", "k_proj", "v_proj"), block, sink, heads * size, keyRows, keyRows);
            } else if (name.contains("up_gate_proj")) {
                long half = tensor.dim(0) / 2;
                split(tensor, name, "up_gate_proj", List.of("gate_proj", "up_proj"), block, sink, half, half);
            } else {
                super.modify(tensor, name, block, sink);
            }
        }

        private void split(Tensor tensor, String name, String fused, List<String> parts, int block, Sink sink, long... rows) {
            List<Tensor> split = tensor.split(0, rows);
            for (int i = 0; i < parts.size(); i++) {
                super.modify(split.get(i), name.replace(fused, parts.get(i)), block, sink);
            }
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            vocabulary.sentencePiece();
            Object prefixSpace = vocabulary.tokenizerConfig().get("add_prefix_space");
            if (prefixSpace != null) {
                keys.bool("tokenizer.ggml.add_space_prefix", prefixSpace);
            }
        }
    }

    /** Llama 4 (text): fused experts, rows as they are. */
    static final class Llama4 extends LlamaArchitecture {

        Llama4(ModelSource source) {
            super(source);
            config.values().put("intermediate_size_moe", config.get("intermediate_size"));
            config.values().put("intermediate_size", config.get("intermediate_size_mlp"));
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (name.contains("gate_up_proj")) {
                Tensor turned = tensor.transpose();
                long half = turned.dim(1) / 2;
                sink.add(map(name.replace("gate_up_proj", "gate_proj.weight")), turned.slice(1, 0, half));
                sink.add(map(name.replace("gate_up_proj", "up_proj.weight")), turned.slice(1, half, 2 * half));
            } else if (name.endsWith("down_proj")) {
                sink.add(map(name + ".weight"), tensor.transpose());
            } else {
                sink.add(map(name), tensor);
            }
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            keys.u32(".interleave_moe_layer_step", config.requireWhole("interleave_moe_layer_step"));
            keys.u32(".expert_feed_forward_length", config.requireWhole("intermediate_size_moe"));
            if (config.get("layer_types") instanceof List<?> types && types.stream().allMatch("full_attention"::equals)) {
                keys.u32(".attention.sliding_window", 0L);
            }
        }
    }

    /** Apertus: rows as they are, and an activation with parameters that become keys. */
    static final class Apertus extends LlamaArchitecture {

        private final Map<String, TreeMap<Integer, Object>> activation = new HashMap<>();

        Apertus(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            int cut = name.indexOf(".act_fn.");
            if (cut < 0) {
                sink.add(map(name), tensor);
                return;
            }
            String parameter = name.substring(cut + ".act_fn.".length());
            TreeMap<Integer, Object> layers = activation.computeIfAbsent(parameter, p -> new TreeMap<>());
            layers.put(block, (double) tensor.toFloats()[0]);
            if (layers.size() == blocks) {
                keys.list("xielu." + parameter, List.copyOf(layers.values()));
            }
        }
    }

    /** Orion: layer norms whose epsilon is called that of an RMS norm. */
    static final class Orion extends Architecture {

        Orion(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() {
            fileType();
            keys.string(".tensor_data_layout", "Meta AI original pth");
            keys.u32(".context_length", require("max_sequence_length", "max_position_embeddings", "model_max_length"));
            keys.u32(".embedding_length", require("hidden_size"));
            keys.u32(".block_count", blocks);
            keys.u32(".feed_forward_length", require("intermediate_size"));
            keys.u32(".attention.head_count", require("num_attention_heads"));
            keys.u32(".attention.head_count_kv", require("num_key_value_heads", "num_attention_heads"));
            keys.f32(".attention.layer_norm_epsilon", config.requireNumber("rms_norm_eps"));
        }
    }

    /** GLM-4 (9B chat) and ChatGLM: half of each head rotated. */
    static final class ChatGlm extends Architecture {

        ChatGlm(ModelSource source) {
            super(source);
        }

        @Override
        String filter(String name) {
            String plain = name.startsWith("transformer.") ? name.substring("transformer.".length()) : name;
            return name.endsWith(".rotary_pos_emb.inv_freq") ? null : super.filter(plain);
        }

        private Object or(Object otherwise, String... candidates) {
            Object value = find(candidates);
            return value == null ? otherwise : value;
        }

        @Override
        void parameters() {
            long width = require("hidden_size", "n_embed");
            long heads = require("n_head", "num_attention_heads");
            keys.u32(".context_length", or(width, "seq_length"));
            keys.u32(".embedding_length", width);
            keys.u32(".feed_forward_length", or(4 * width, "ffn_hidden_size", "intermediate_size"));
            keys.u32(".block_count", blocks);
            keys.u32(".attention.head_count", heads);
            keys.u32(".attention.head_count_kv", or(heads, "multi_query_group_num", "num_key_value_heads"));
            keys.f32(".attention.layer_norm_rms_epsilon", or(1e-5, "layernorm_epsilon"));
            fileType();
            long head = (Long) or(width / heads, "attention_dim");
            Double part = rope.number("partial_rotary_factor");
            keys.u32(".rope.dimension_count", (long) (head * (part == null ? 0.5 : part)));
            keys.bool("tokenizer.ggml.add_bos_token", false);
            keys.f32(".rope.freq_base", config.has("rope_ratio") ? 10000 * config.requireNumber("rope_ratio") : 10000.0);
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            SentencePieceVariants.chatGlm(vocabulary);
        }
    }

    /** Hunyuan, dense: frequencies scaled by what its paper calls alpha. */
    static final class Hunyuan extends Architecture {

        private static final long DYNAMIC_CONTEXT = 256 * 1024;

        Hunyuan(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (!name.equals("lm_head.weight") || !Boolean.TRUE.equals(config.get("tie_word_embeddings"))) {
                super.modify(tensor, name, block, sink);
            }
        }

        @Override
        void parameters() {
            config.values().remove("num_experts");
            defaultParameters();
            boolean dynamic = "dynamic".equals(rope.get("rope_type"));
            if (!dynamic && !"xdrope".equals(rope.get("rope_type"))) {
                return;
            }
            double alpha = rope.has("alpha") ? rope.requireNumber("alpha") : 50;
            double base = rope.has("rope_theta") ? rope.requireNumber("rope_theta") : 10000;
            double size = require("head_dim");
            keys.f32(".rope.freq_base", base * Math.pow(alpha, size / (size - 2)));
            keys.string(".rope.scaling.type", "none");
            keys.f32(".rope.scaling.factor", 1.0);
            if (dynamic) {
                keys.u32(".rope.scaling.original_context_length", DYNAMIC_CONTEXT);
                keys.u32(".context_length", DYNAMIC_CONTEXT);
            }
        }

        @Override
        void vocabulary(Vocabulary vocabulary) throws IOException {
            vocabulary.writeByteLevel("gpt2");
            SpecialTokens.read(vocabulary.files(), true, null).write(keys);
            if (config.get("eod_token_id") instanceof Long end && end >= 0) {
                keys.u32("tokenizer.ggml.eos_token_id", end);
            }
            JsonObject generation = JsonObject.readIfPresent(vocabulary.folder().resolve("generation_config.json"));
            if (generation.get("eos_token_id") instanceof List<?> ends && ends.size() > 1) {
                keys.from(generation.file()).u32("tokenizer.ggml.eot_token_id", ends.getFirst());
            }
        }
    }

    /** Command-R and Command-R7B. */
    static final class Cohere extends Architecture {

        Cohere(ModelSource source) {
            super(source);
            if (keys.architecture().equals("command-r")) { // the real context, where the file has it
                config.values().put("max_position_embeddings", find("model_max_length", "max_position_embeddings"));
            }
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            if (keys.architecture().equals("cohere2") && name.endsWith(".bias")) {
                for (float value : tensor.toFloats()) {
                    if (value != 0) {
                        throw new Tensor.ShapeException("a bias that is not zero");
                    }
                }
                return;
            }
            super.modify(tensor, name, block, sink);
        }

        @Override
        void parameters() {
            defaultParameters();
            keys.f32(".logit_scale", config.requireNumber("logit_scale"));
            if (keys.architecture().equals("cohere2")) {
                keys.u32(".attention.sliding_window", config.requireWhole("sliding_window"));
                keys.u32(".vocab_size", config.requireWhole("vocab_size"));
                keys.u32(".rope.dimension_count",
                        (long) (config.requireNumber("rotary_pct") * (require("hidden_size") / positive("num_attention_heads"))));
            }
            keys.string(".rope.scaling.type", "none");
        }
    }
}
