package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model's {@code config.json} as the reference converter sees it: {@code AutoConfig.from_pretrained(dir).to_dict()} of transformers
 * 4.57.6. For a model type that transformers knows, the defaults of its class fill every key that the file lacks; for any other type the
 * file counts as it stands.
 *
 * <p>The defaults are a table (config-defaults.json, its source inside); what a class computes from other keys is in
 * {@link #derive}.
 */
public final class ModelConfig {

    private static final JsonObject DEFAULTS = JsonObject.resource(ModelConfig.class, "config-defaults.json").object("model_types");
    /** Sub-configurations that hold the text model, under the names that some families give them. */
    private static final List<String> TEXT_CONFIGS = List.of("llm_config", "lm_config", "language_config", "lfm");
    /** Configurations whose text part names no model type: the type that their class gives it. */
    private static final Map<String, String> TEXT_TYPES = Map.of("gemma3", "gemma3_text", "llava", "llama", "mistral3", "mistral",
            "llama4", "llama4_text", "gemma3n", "gemma3n_text", "qwen2_vl", "qwen2_vl_text", "qwen2_5_vl", "qwen2_5_vl_text",
            "qwen3_vl", "qwen3_vl_text", "qwen3_vl_moe", "qwen3_vl_moe_text");
    /** Those whose released files have the keys of the text model at the top level. */
    private static final Set<String> FLAT = Set.of("qwen2_vl", "qwen2_5_vl");

    private final JsonObject raw;
    private JsonObject values;

    private ModelConfig(JsonObject raw, JsonObject values) {
        this.raw = raw;
        this.values = values;
    }

    /** Has the table of defaults read, which is done once, before this returns. */
    public static void readTable() {}

    /**
     * Reads {@code config.json} of a folder.
     *
     * @param rawOnly whether the class defaults are left out, as the reference does for a few families
     */
    public static ModelConfig read(Path folder, boolean rawOnly) throws IOException {
        JsonObject raw = JsonObject.read(folder.resolve("config.json"));
        return of(raw, rawOnly);
    }

    /** Takes an object that was read before. */
    public static ModelConfig of(JsonObject raw, boolean rawOnly) {
        Object type = raw.get("model_type");
        Object ofText = type instanceof String name && FLAT.contains(name) && !raw.has("text_config") ? TEXT_TYPES.get(name) : type;
        Map<String, Object> merged = rawOnly ? new LinkedHashMap<>(raw.values()) : withDefaults(raw, ofText);
        var config = new ModelConfig(raw, new JsonObject(raw.file(), merged));
        config.hoistTextConfig(rawOnly);
        return config;
    }

    private void hoistTextConfig(boolean rawOnly) {
        var map = values.values();
        for (String name : TEXT_CONFIGS) {
            if (map.get(name) instanceof Map) {
                map.put("text_config", map.get(name));
            }
        }
        if (values.objectOrEmpty("thinker_config").has("text_config")) {
            map.put("text_config", values.object("thinker_config").get("text_config"));
        }
        if (map.get("text_config") instanceof Map) {
            JsonObject text = values.object("text_config");
            Object type = text.has("model_type") ? text.get("model_type") : TEXT_TYPES.get(raw.get("model_type"));
            Map<String, Object> textValues = rawOnly ? text.values() : withDefaults(text, type);
            map.put("text_config", textValues);
        }
    }

    private static Map<String, Object> withDefaults(JsonObject given, Object modelType) {
        JsonObject defaults = modelType instanceof String type ? DEFAULTS.object(type) : null;
        var merged = new LinkedHashMap<>(given.values());
        if (defaults == null) {
            return merged;
        }
        defaults.values().forEach((key, value) -> {
            if (!(value instanceof Map<?, ?> rule && Boolean.TRUE.equals(rule.get("derived")))) {
                if (!given.values().containsKey(key)) {
                    merged.put(key, value);
                }
            }
        });
        var object = new JsonObject(given.file(), merged);
        defaults.values().forEach((key, value) -> {
            if (merged.get(key) == null && value instanceof Map<?, ?> rule && Boolean.TRUE.equals(rule.get("derived"))) {
                Object derived = derive((String) modelType, key, rule.get("default_model"), object);
                if (derived != null) {
                    merged.put(key, derived);
                }
            }
        });
        return merged;
    }

    /** What the class of a model type computes for a key that is absent or null. */
    private static Object derive(String type, String key, Object ofDefaultModel, JsonObject config) {
        return switch (key) {
            case "num_key_value_heads", "num_kv_heads" -> config.get("num_attention_heads");
            case "head_dim" -> quotient(config, "hidden_size", "num_attention_heads");
            case "ffn_hidden_size" -> config.has("hidden_size") ? 4 * config.requireWhole("hidden_size") : null;
            case "num_decoder_layers" -> config.get("num_layers");
            case "intermediate_size" -> config.has("expand") && config.has("hidden_size")
                    ? (Object) (long) (config.requireNumber("expand") * config.requireWhole("hidden_size")) : null;
            case "time_step_rank", "mamba_dt_rank" -> config.has("hidden_size") ? (config.requireWhole("hidden_size") + 15) / 16 : null;
            case "mamba_d_head" -> config.has("mamba_n_heads")
                    ? (Object) ((long) config.requireNumber("mamba_expand") * config.requireWhole("hidden_size") / config.requireWhole("mamba_n_heads"))
                    : null;
            case "layer_types" -> LayerTypes.of(type, config);
            default -> ofDefaultModel instanceof Number ? ofDefaultModel : null;
        };
    }

    private static Long quotient(JsonObject config, String dividend, String divisor) {
        return config.has(dividend) && config.has(divisor) && config.requireWhole(divisor) > 0
                ? (Long) (config.requireWhole(dividend) / config.requireWhole(divisor)) : null;
    }

    /** The keys as the classes of the reference read them; may be changed by them. */
    public JsonObject values() {
        return values;
    }

    /** The file as it stands. */
    public JsonObject raw() {
        return raw;
    }

    /**
     * Moves the keys of the text model to the top level: {@code {**config, **config["text_config"]}}.
     */
    public void flattenTextConfig() {
        if (values.get("text_config") instanceof Map) {
            var merged = new LinkedHashMap<>(values.values());
            merged.putAll(values.object("text_config").values());
            values = new JsonObject(values.file(), merged);
        }
    }

    /**
     * The architecture that decides the conversion: the first of {@code architectures}, that of the text part where it names one.
     */
    public String architecture() {
        String name = first(values);
        if (name == null && values.has("ssm_cfg")) {
            String layer = values.object("ssm_cfg").text("layer");
            name = (layer == null ? "Mamba" : layer) + "ForCausalLM";
        }
        String text = first(values.objectOrEmpty("text_config"));
        if (text != null) {
            name = text;
        }
        if (name == null) {
            throw new InvalidFileException(raw.file(), "key 'architectures'", "a list with the name of the model class", "none",
                    "add \"architectures\": [\"LlamaForCausalLM\"] (or the model's own class) to config.json");
        }
        return name;
    }

    private static String first(JsonObject config) {
        List<String> names = config.get("architectures") instanceof List ? config.texts("architectures") : null;
        return names == null || names.isEmpty() ? null : names.getFirst();
    }

    /** The value of the first of several keys that is present, even when it is null; null when none is. */
    public Object find(String... keys) {
        for (String key : keys) {
            if (values.values().containsKey(key)) {
                return values.get(key);
            }
        }
        return null;
    }

    /** {@link #find} for a whole number that must be there. */
    public long requireWhole(String... keys) {
        if (find(keys) instanceof Long number) {
            return number;
        }
        throw new InvalidFileException(raw.file(), "key '" + String.join("' or '", keys) + "'", "a whole number", JsonObject.kind(find(keys)));
    }
}
