package ai.luciferai.llama.hf;

import java.util.ArrayList;
import java.util.List;

/**
 * The {@code layer_types} that transformers' configuration classes compute where config.json has none.
 *
 * <p><i>Source</i>: transformers 4.57.6, models/&lt;type&gt;/configuration_&lt;type&gt;.py (Apache-2.0).
 */
final class LayerTypes {

    private static final String FULL = "full_attention";
    private static final String SLIDING = "sliding_attention";

    private LayerTypes() {}

    /** One name per layer, or null for a type that has no rule. */
    static List<Object> of(String type, JsonObject config) {
        long layers = config.has("num_hidden_layers") ? config.requireWhole("num_hidden_layers") : 0;
        if (layers < 1 || layers > 100_000) {
            return null;
        }
        return switch (type) {
            case "gemma2", "gpt_oss" -> every(layers, 2);
            case "gemma3_text" -> every(layers, pattern(config, "sliding_window_pattern", 6));
            case "cohere2" -> every(layers, pattern(config, "sliding_window_pattern", 4));
            case "exaone4" -> config.has("sliding_window") ? every(layers, pattern(config, "sliding_window_pattern", 4)) : every(layers, 1);
            case "qwen3_next" -> every(layers, pattern(config, "full_attention_interval", 4)).stream()
                    .map(kind -> SLIDING.equals(kind) ? (Object) "linear_attention" : kind).toList();
            case "olmo3" -> every(layers, 4);
            case "qwen2", "qwen3", "dots1" -> fromWindow(config, layers);
            default -> null;
        };
    }

    /** Every n-th layer sees all, the others a window. */
    private static List<Object> every(long layers, long n) {
        var types = new ArrayList<>();
        for (long i = 0; i < layers; i++) {
            types.add((i + 1) % n == 0 ? FULL : SLIDING);
        }
        return types;
    }

    private static List<Object> fromWindow(JsonObject config, long layers) {
        boolean window = Boolean.TRUE.equals(config.get("use_sliding_window")) && config.has("sliding_window");
        long from = config.has("max_window_layers") ? config.requireWhole("max_window_layers") : layers;
        var types = new ArrayList<>();
        for (long i = 0; i < layers; i++) {
            types.add(window && i >= from ? SLIDING : FULL);
        }
        return types;
    }

    private static long pattern(JsonObject config, String key, long otherwise) {
        return config.get(key) instanceof Long n && n > 0 ? n : otherwise;
    }
}
