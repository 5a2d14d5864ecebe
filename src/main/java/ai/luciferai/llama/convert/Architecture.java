package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.gguf.GgmlType;
import ai.luciferai.llama.hf.JsonObject;
import ai.luciferai.llama.hf.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How one family of models becomes GGUF: which tensors it has, what happens to them, and which keys describe it. This class is the plain
 * case, a decoder whose tensors are only renamed; a family that needs more overrides the step that differs. What can be said in a table is
 * said in architectures.json.
 *
 * <p>The steps run in the order of the methods below, which is the order of the reference and decides the order of keys in the file.
 *
 * <p><i>Source</i>: llama.cpp, conversion/base.py {@code TextModel}.
 */
class Architecture {

    /** Takes the tensors that a step gives out. */
    interface Sink {
        /** A tensor under its GGUF name; the output type decides its type. */
        void add(String name, Tensor tensor);
    }

    /** Name of most families' stacked experts. */
    protected static final String MLP_EXPERTS = "model.layers.{bid}.mlp.experts.{xid}.weight";

    private static final List<String> OTHER_MODALITIES = List.of("visual.", "vision.", "audio.", "talker.", "vision_", "audio_", "token2wav.",
            "code2wav.", "projector.", "pre_mm_projector_norm", "image_newline", "view_seperator", "patch_embed", "patch_merger.",
            "patch_merge_mlp.", "model.connector.");
    private static final List<String> OTHER_MODALITY_STARTS = List.of("mlp", "vit.", "vpm.", "siglip2.", "conformer.", "merger.",
            "resampler.", "sound_encoder.", "sound_projection.", "speech_embeddings.");

    protected final ModelSource source;
    protected final JsonObject config;
    protected final KeyValues keys;
    protected final TensorNames names;
    protected final long blocks;
    /** What stacks the experts of a layer, where the family has them one by one; null for none. */
    private ExpertStack experts;
    /** {@code rope_scaling} with the values that newer files keep beside it. */
    protected final JsonObject rope;

    Architecture(ModelSource source) {
        this.source = source;
        this.config = source.config().values();
        this.keys = source.keys();
        this.blocks = countBlocks();
        if (blocks < 0 || blocks > 100_000) {
            throw new InvalidFileException(config.file(), "number of layers", "a number from 0 to 100000", String.valueOf(blocks));
        }
        this.names = new TensorNames(keys.architecture(), blocks);
        this.rope = ropeParameters();
    }

    /** Number of layers whose tensors have names. */
    protected long countBlocks() {
        return source.config().requireWhole("n_layers", "num_hidden_layers", "n_layer", "num_layers");
    }

    private JsonObject ropeParameters() {
        var values = new LinkedHashMap<String, Object>();
        Object given = config.values().containsKey("rope_parameters") ? config.get("rope_parameters") : config.get("rope_scaling");
        if (given instanceof Map<?, ?> map) {
            map.forEach((key, value) -> values.put(String.valueOf(key), value));
        }
        if (!values.containsKey("full_attention") && !values.containsKey("sliding_attention")) {
            Object local = find("local_rope_theta", "rope_local_theta", "rope_theta_local", "swa_rope_theta", "rope_local_base_freq");
            if (local != null) {
                values.put("sliding_attention", Map.of("rope_theta", local));
            }
            copyRope(values, "rope_theta", find("global_rope_theta", "rope_global_theta", "rope_theta_global", "rope_theta", "rotary_emb_base"));
            copyRope(values, "rope_type", values.get("type"));
            copyRope(values, "partial_rotary_factor", find("partial_rotary_factor", "rope_pct", "rope_percent"));
            copyRope(values, "original_max_position_embeddings", find("original_max_position_embeddings"));
        }
        return new JsonObject(config.file(), values);
    }

    private static void copyRope(Map<String, Object> values, String key, Object value) {
        if (!values.containsKey(key) && value != null) {
            values.put(key, value);
        }
    }

    /** The value of the first of several configuration keys that is present, perhaps null. */
    protected final Object find(String... candidates) {
        return source.config().find(candidates);
    }

    /** {@link #find} for a whole number that must be there. */
    protected final long require(String... candidates) {
        return source.config().requireWhole(candidates);
    }

    /** {@link #require} for a number that others are divided by. */
    protected final long positive(String... candidates) {
        long number = require(candidates);
        if (number < 1) {
            throw new InvalidFileException(config.file(), "key '" + String.join("' or '", candidates) + "'", "a number from 1", String.valueOf(number));
        }
        return number;
    }

    /** The rope parameters of the layers that see everything. */
    protected final JsonObject fullRope() {
        return rope.has("full_attention") ? rope.object("full_attention") : rope;
    }

    // --- tensors -------------------------------------------------------------------------------------------------------

    /** The name under which a tensor of the checkpoint is handled, or null for one that is left out. */
    String filter(String name) {
        if (OTHER_MODALITY_STARTS.stream().anyMatch(name::startsWith) || OTHER_MODALITIES.stream().anyMatch(name::contains)) {
            return null;
        }
        String plain = name.endsWith("e_score_correction_bias") ? name.replace("e_score_correction_bias", "e_score_correction.bias") : name;
        return plain.replace("language_model.", "");
    }

    /** Called with each tensor before all else: for those that must stand first in the output. */
    void before(String name, Tensor tensor, Sink sink) {}

    /** Tensors that the checkpoint does not have; they come before its own. */
    void extra(Sink sink) {}

    /**
     * What becomes of one tensor of the checkpoint: usually one tensor of the output, sometimes none yet or several.
     *
     * @param name  name after {@link #filter}
     * @param block number of the layer, -1 outside the layers
     */
    void modify(Tensor tensor, String name, int block, Sink sink) {
        if (!takeExpert(tensor, name, block, sink)) {
            sink.add(map(name), tensor);
        }
    }

    /** Whether a weight lies transposed in the checkpoint, as those of transformers' Conv1D do; the factors of its adapters do not. */
    boolean liesTransposed(String name) {
        return false;
    }

    /** Says how experts are stacked that a checkpoint has one by one. */
    protected final void stackExperts(String marker, String merged, String countKey, String... parts) {
        experts = new ExpertStack(source, marker, merged, countKey, parts);
    }

    /** Takes a tensor if it is a matrix of one expert, and gives out the stacked ones once its layer has all of them. */
    protected final boolean takeExpert(Tensor tensor, String name, int block, Sink sink) {
        return experts != null && experts.take(tensor, name, block, (merged, stacked) -> sink.add(map(merged), stacked));
    }

    /** After the last tensor of an adapter: stacks the matrices of experts that wait for others. */
    final void flushExperts(Sink sink) {
        if (experts != null) {
            experts.flush((merged, stacked) -> sink.add(map(merged), stacked));
        }
    }

    /** After the last tensor: what is still missing is an error. */
    void finish(Sink sink) {
        if (experts != null) {
            experts.requireComplete();
        }
    }

    /** A type that a tensor gets whatever the output type, or null. */
    GgmlType forcedType(String name, String ggufName, int block, int rank) {
        return null;
    }

    /** GGUF name of a tensor. */
    protected final String map(String name) {
        String mapped = names.find(name);
        if (mapped == null && new TensorNames(keys.architecture(), Integer.MAX_VALUE).find(name) != null) {
            String key = Stream.of("n_layers", "num_hidden_layers", "n_layer", "num_layers").filter(config::has).findFirst().orElse("num_hidden_layers");
            throw new InvalidFileException(config.file(), "key '" + key + "'", "more layers than " + Converter.blockOf(name) + ", as the checkpoint has tensor '"
                    + name + "'", String.valueOf(blocks));
        }
        if (mapped == null) {
            throw new UnsupportedModelException(source.folder(), "tensor '" + name + "'",
                    "the tensors of architecture " + keys.architecture() + " (" + source.architecture() + ")", "a name that is not in its table",
                    UnknownTensor.hint(name));
        }
        return mapped;
    }

    // --- keys ----------------------------------------------------------------------------------------------------------

    /** Keys that describe the architecture. */
    void parameters() throws IOException {
        defaultParameters();
        source.entry().writeKeys(config, keys);
    }

    /** The keys that most architectures have, each only where the configuration has its value. */
    protected final void defaultParameters() {
        keys.u32(".block_count", blocks);
        u32(".context_length", "max_position_embeddings", "n_ctx", "n_positions", "max_length", "max_sequence_length", "model_max_length");
        u32(".embedding_length", "hidden_size", "n_embd", "dim");
        u32(".feed_forward_length", "prefix_dense_intermediate_size", "dense_intermediate_size", "intermediate_size", "n_inner", "hidden_dim");
        u32(".attention.head_count", "num_attention_heads", "n_head", "n_heads");
        u32(".attention.head_count_kv", "num_key_value_heads", "n_kv_heads");
        if (Boolean.FALSE.equals(config.get("is_causal"))) {
            keys.bool(".attention.causal", false);
        }
        ropeScaling(fullRope());
        if (rope.values().get("mrope_section") instanceof List<?> sections) {
            var padded = new ArrayList<Object>(sections);
            while (padded.size() < 4) {
                padded.add(0L);
            }
            keys.list(".rope.dimension_sections", padded.subList(0, 4));
        }
        if (fullRope().has("rope_theta")) {
            keys.f32(".rope.freq_base", fullRope().get("rope_theta"));
        }
        Object local = rope.objectOrEmpty("sliding_attention").get("rope_theta");
        if (local != null) {
            keys.f32(".rope.freq_base_swa", local);
        }
        f32(".attention.layer_norm_rms_epsilon", "rms_norm_eps", "norm_eps");
        f32(".attention.layer_norm_epsilon", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon");
        u32(".expert_count", "num_local_experts", "num_experts", "n_routed_experts");
        u32(".expert_used_count", "num_experts_per_tok", "num_experts_per_token", "top_k_experts");
        u32(".expert_group_count", "n_group");
        u32(".expert_group_used_count", "topk_group");
        Object gating = find("score_function", "scoring_func", "score_func", "moe_router_activation", "moe_router_activation_func",
                "expert_selection_fn");
        if (gating != null) {
            keys.u32(".expert_gating_func", gatingFunction(gating));
        }
        u32(".attention.key_length", "head_dim");
        u32(".attention.value_length", "head_dim");
        fileType();
    }

    /** {@code general.file_type}, which stands among the keys of the architecture. */
    protected final void fileType() {
        keys.u32("general.file_type", (long) source.fileType());
    }

    private void ropeScaling(JsonObject parameters) {
        Object type = parameters.get("rope_type");
        Object factor = parameters.get("factor");
        if ("linear".equals(type) && factor != null) {
            keys.string(".rope.scaling.type", "linear");
            keys.f32(".rope.scaling.factor", factor);
        } else if ("yarn".equals(type) && factor != null) {
            keys.string(".rope.scaling.type", "yarn");
            keys.f32(".rope.scaling.factor", factor);
            keys.u32(".rope.scaling.original_context_length", parameters.requireWhole("original_max_position_embeddings"));
            optional(".rope.scaling.yarn_ext_factor", parameters.get("extrapolation_factor"));
            optional(".rope.scaling.yarn_attn_factor", parameters.values().containsKey("attention_factor")
                    ? parameters.get("attention_factor") : parameters.get("attn_factor"));
            optional(".rope.scaling.yarn_beta_fast", parameters.get("beta_fast"));
            optional(".rope.scaling.yarn_beta_slow", parameters.get("beta_slow"));
        } else if ("su".equals(type) || "longrope".equals(type)) {
            keys.string(".rope.scaling.type", "longrope");
        }
    }

    private long gatingFunction(Object name) {
        return switch (String.valueOf(name)) {
            case "softmax" -> 1;
            case "sigmoid" -> 2;
            case "sqrtsoftplus" -> 4;
            default -> throw new UnsupportedModelException(source.folder(), "expert gating function", "softmax, sigmoid or sqrtsoftplus",
                    String.valueOf(name));
        };
    }

    /** Writes a whole number, or a list of them, where one of the configuration keys has a value. */
    protected final void u32(String key, String... candidates) {
        Object value = find(candidates);
        if (value != null) {
            keys.u32OrList(key, value);
        }
    }

    /** Writes a number where one of the configuration keys has a value. */
    protected final void f32(String key, String... candidates) {
        optional(key, find(candidates));
    }

    /** Writes a number unless it is null. */
    protected final void optional(String key, Object number) {
        if (number != null) {
            keys.f32(key, number);
        }
    }

    /** Writes how a sentence-transformers model pools its outputs, where the folder says so. */
    protected final void poolingType() throws IOException {
        Path modules = source.folder().resolve("modules.json");
        if (!Files.isRegularFile(modules) || !(JsonObject.readAny(modules) instanceof List<?> list)) {
            return;
        }
        for (JsonObject module : SpecialTokens.parts(new JsonObject(modules, Map.of("modules", list)), "modules")) {
            if (String.valueOf(module.get("type")).endsWith("Pooling")) {
                Path folder = source.folder().resolve(module.requireText("path")).normalize();
                if (!folder.startsWith(source.folder().normalize())) {
                    throw new InvalidFileException(modules, "path", "a folder inside the model's", module.requireText("path"));
                }
                keys.u32(".pooling_type", pooling(JsonObject.read(folder.resolve("config.json"))));
                return;
            }
        }
    }

    private long pooling(JsonObject pooling) {
        String[][] modes = {{"pooling_mode_mean_tokens", "mean"}, {"pooling_mode_cls_token", "cls"}, {"pooling_mode_lasttoken", "lasttoken"}};
        for (int i = 0; i < modes.length; i++) {
            if (Boolean.TRUE.equals(pooling.get(modes[i][0]))) {
                return i + 1;
            }
        }
        for (int i = 0; i < modes.length; i++) {
            if (modes[i][1].equals(pooling.get("pooling_mode"))) {
                return i + 1;
            }
        }
        throw new UnsupportedModelException(source.folder(), "pooling", "mean, cls or lasttoken", String.valueOf(pooling.get("pooling_mode")));
    }

    // --- tokenizer -----------------------------------------------------------------------------------------------------

    /** The {@code tokenizer.*} keys. */
    void vocabulary(Vocabulary vocabulary) throws IOException {
        switch (source.entry().vocabulary()) {
            case "llama" -> vocabulary.llama();
            case "sentencepiece" -> vocabulary.sentencePiece();
            case "qwen" -> vocabulary.qwen();
            case "sentencepiece-or-bpe" -> vocabulary.sentencePieceOrByteLevel();
            default -> vocabulary.byteLevel();
        }
    }

    /** The configuration of the model. */
    protected final ModelConfig modelConfig() {
        return source.config();
    }
}
