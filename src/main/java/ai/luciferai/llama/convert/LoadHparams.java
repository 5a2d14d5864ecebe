package ai.luciferai.llama.convert;

import ai.luciferai.llama.gguf.GgufArray;
import ai.luciferai.llama.gguf.GgufType;
import ai.luciferai.llama.gguf.Metadata;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The sizes of a model as llama.cpp's loader has them, of which {@link LoadRules} is made.
 *
 * <p><i>Source</i>: llama.cpp v0.5.0, src/llama-model.cpp {@code load_hparams}, {@code LLAMA_LOAD_LOCALS}; src/llama-hparams.cpp.
 */
final class LoadHparams {

    private final Metadata metadata;
    private final String architecture;

    LoadHparams(Metadata metadata) {
        this.metadata = metadata;
        this.architecture = metadata.string(Metadata.ARCHITECTURE);
    }

    String architecture() {
        return architecture;
    }

    /** Full name of a key that begins with a dot. */
    String key(String name) {
        return name.startsWith(".") ? architecture + name : name;
    }

    /** All layers, those for further tokens too. */
    long layers() {
        return whole(".block_count", 0);
    }

    /** What a value is as a number: null for floats, texts, and lists whose elements differ. */
    static Long number(Object value) {
        return switch (value) {
            case Long number -> number;
            case Boolean flag -> flag ? 1L : 0L;
            case GgufArray array when array.length() > 0 && array.type().isInteger() -> {
                long first = array.integer(0);
                for (int i = 1; i < array.length(); i++) {
                    if (array.integer(i) != first) {
                        yield null;
                    }
                }
                yield first;
            }
            default -> null;
        };
    }

    private Long whole(String name, long otherwise) {
        Metadata.Value value = metadata.get(key(name));
        return value == null ? (Long) otherwise : number(value.value());
    }

    /** The value for a layer, of a number or a list with one for each. */
    private Long element(String name, long layer, Long otherwise) {
        Metadata.Value value = metadata.get(key(name));
        if (value == null) {
            return otherwise;
        }
        if (value.value() instanceof GgufArray array) {
            boolean inside = layer >= 0 && layer < array.length();
            return !inside ? null : array.type() == GgufType.BOOL ? (Long) (array.bool((int) layer) ? 1L : 0L)
                    : array.type().isInteger() ? (Long) array.integer((int) layer) : null;
        }
        return number(value.value());
    }

    /** What is read for every architecture before its own function. */
    Map<String, Long> common() {
        var known = new HashMap<String, Long>();
        known.put("hparams.n_layer_all", layers());
        known.put("hparams.n_layer_nextn", whole(".nextn_predict_layers", 0));
        known.put("hparams.n_embd", whole(".embedding_length", 0));
        Long experts = whole(".expert_count", 0);
        known.put("hparams.n_expert", architecture.equals("hunyuan-dense") && experts != null && experts == 1 ? (Long) 0L : experts);
        known.put("hparams.n_ctx_train", whole(".context_length", 0));
        known.put("hparams.n_embd_out_impl", whole(".embedding_length_out", 0));
        known.put("hparams.n_ff_exp_arr", 0L);
        Metadata.Value labels = metadata.get(key(".classifier.output_labels"));
        known.put("hparams.n_cls_out", labels != null && labels.value() instanceof GgufArray array ? (long) array.length() : 1L);
        return known;
    }

    /** The variables that each function for tensors begins with. */
    Map<String, Long> locals(Map<String, Long> variables) {
        var known = new HashMap<String, Long>();
        known.put("n_layer", call("hparams.n_layer", List.of(), variables));
        known.put("n_layer_all", variables.get("hparams.n_layer_all"));
        known.put("n_layer_nextn", variables.get("hparams.n_layer_nextn"));
        for (String name : List.of("n_head", "n_head_kv", "n_embd_k_gqa", "n_embd_v_gqa", "n_embd_head_k", "n_embd_head_v", "n_ff", "n_rot", "n_expert_used")) {
            known.put(name, call("hparams." + name, List.of(), variables));
        }
        known.put("n_embd", variables.get("hparams.n_embd"));
        known.put("n_embd_gqa", known.get("n_embd_v_gqa"));
        known.put("n_vocab", tokens());
        known.put("n_token_types", whole("tokenizer.ggml.token_type_count", 0));
        known.put("n_expert", variables.get("hparams.n_expert"));
        known.put("n_ctx_train", variables.get("hparams.n_ctx_train"));
        return known;
    }

    private Long tokens() {
        Metadata.Value tokens = metadata.get("tokenizer.ggml.tokens");
        return tokens != null && tokens.value() instanceof GgufArray array ? (Long) (long) array.length() : whole(".vocab_size", 0);
    }

    /** A function of the sizes, for the first layer unless it says another; null for one that is not known here. */
    Long call(String name, List<Long> arguments, Map<String, Long> variables) {
        Long layer = arguments.isEmpty() ? (Long) 0L : arguments.getFirst();
        if (layer == null) {
            return null;
        }
        return switch (name) {
            case "hparams.n_layer" -> plus(variables.get("hparams.n_layer_all"), variables.get("hparams.n_layer_nextn"), -1);
            case "hparams.n_head" -> element(".attention.head_count", layer, 0L);
            case "hparams.n_head_kv" -> element(".attention.head_count_kv", layer, element(".attention.head_count", layer, 0L));
            case "hparams.n_ff" -> element(".feed_forward_length", layer, 0L);
            case "hparams.n_ff_exp" -> element(".expert_feed_forward_length", layer, variables.get("hparams.n_ff_exp_arr"));
            case "hparams.n_expert_used" -> element(".expert_used_count", layer, 0L);
            case "hparams.n_embd_head_k" -> headSize(".attention.key_length");
            case "hparams.n_embd_head_v" -> headSize(".attention.value_length");
            case "hparams.n_rot" -> metadata.has(key(".rope.dimension_count_swa")) ? null
                    : metadata.has(key(".rope.dimension_count")) ? whole(".rope.dimension_count", 0) : headSize(".attention.key_length");
            case "hparams.n_embd_k_gqa" -> times(headSize(".attention.key_length"), call("hparams.n_head_kv", arguments, variables));
            case "hparams.n_embd_v_gqa" -> times(headSize(".attention.value_length"), call("hparams.n_head_kv", arguments, variables));
            case "hparams.n_embd_out" -> positive(variables.get("hparams.n_embd_out_impl"), variables.get("hparams.n_embd"));
            case "hparams.is_mla" -> metadata.has(key(".attention.key_length_mla")) && metadata.has(key(".attention.value_length_mla")) ? 1L : 0L;
            case "hparams.n_embd_head_k_mla" -> metadata.has(key(".attention.key_length_mla")) ? whole(".attention.key_length_mla", 0) : headSize(".attention.key_length");
            case "hparams.n_embd_head_v_mla" -> metadata.has(key(".attention.value_length_mla")) ? whole(".attention.value_length_mla", 0) : headSize(".attention.value_length");
            case "hparams.is_recr" -> recurrent(layer, variables);
            default -> null;
        };
    }

    /** Which layers have no attention: told by heads without keys, or by their place. */
    private Long recurrent(long layer, Map<String, Long> variables) {
        return switch (architecture) {
            case "jamba", "lfm2" -> isZero(call("hparams.n_head_kv", List.of(layer), variables));
            case "qwen3next" -> metadata.has(key(".attention.recurrent_layers")) ? element(".attention.recurrent_layers", layer, null)
                    : (Long) ((layer + 1) % Math.max(1, whole(".full_attention_interval", 4)) != 0 && layer < call("hparams.n_layer", List.of(), variables) ? 1L : 0L);
            default -> null;
        };
    }

    private Long headSize(String name) {
        Long heads = element(".attention.head_count", 0, 0L);
        Long width = whole(".embedding_length", 0);
        if (heads == null || width == null || metadata.has(key(name + "_swa"))) {
            return null;
        }
        return heads == 0 ? (Long) 0L : metadata.has(key(name)) ? whole(name, 0) : (Long) (width / heads);
    }

    private static Long isZero(Long a) {
        return a == null ? null : a == 0 ? 1L : (Long) 0L;
    }

    private static Long plus(Long a, Long b, int sign) {
        return a == null || b == null ? null : (Long) (a + sign * b);
    }

    private static Long times(Long a, Long b) {
        return a == null || b == null ? null : (Long) (a * b);
    }

    private static Long positive(Long a, Long otherwise) {
        return a == null ? null : a > 0 ? a : otherwise;
    }
}
