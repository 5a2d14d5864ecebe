package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What PEFT's {@code adapter_config.json} can ask for beyond W + scale · B · A. A GGUF adapter is just that, so all else is refused by
 * name: taken as plain LoRA it would act otherwise than it was trained to.
 *
 * <p><i>Source</i>: PEFT, tuners/lora/config.py.
 */
final class PeftVariants {

    static final String MERGE = "merge the adapter into its base with PEFT, then convert the result";

    /** Keys whose value, unless it is null, false or empty, changes what the factors mean. */
    private static final Set<String> CHANGES_THE_ARITHMETIC = Set.of("lora_bias", "alora_invocation_tokens", "layer_replication",
            "megatron_config", "trainable_token_indices", "corda_config", "arrow_config", "kasa_config");
    /** Parameters that are the weights of all experts of a layer, and routers, which are plain matrices. */
    private static final Pattern KNOWN_PARAMETER = Pattern.compile("(.*\\.)?(gate_up_proj|down_proj|gate\\.weight)");

    private PeftVariants() {}

    static void requirePlainLora(Path file, JsonObject config) {
        Object type = config.get("peft_type");
        if (type != null && !"LORA".equals(type)) {
            throw new UnsupportedModelException(file, "kind of adapter", "LORA", String.valueOf(type));
        }
        config.values().forEach((key, value) -> {
            boolean variant = key.startsWith("use_") && !key.equals("use_rslora")
                    || CHANGES_THE_ARITHMETIC.contains(key);
            if (variant && isSet(value)) {
                throw new UnsupportedModelException(file, key, "plain LoRA", String.valueOf(value), MERGE);
            }
        });
        if (config.get("target_parameters") instanceof Collection<?> parameters) {
            parameters.stream().filter(name -> !KNOWN_PARAMETER.matcher(String.valueOf(name)).matches()).findFirst().ifPresent(name -> {
                throw new UnsupportedModelException(file, "target_parameters", "gate_up_proj and down_proj of experts", String.valueOf(name), MERGE);
            });
        }
        requireKeptBase(file, config.get("init_lora_weights"));
        if (config.get("lora_alpha") instanceof Number alpha && !(Math.abs(alpha.doubleValue()) > 0)) {
            throw new InvalidFileException(file, "lora_alpha", "a number other than 0", alpha.toString(), "with 0 the adapter does nothing");
        }
    }

    /** These first values take a part out of the base's own weights, which are then not those of the base that the adapter is used with. */
    private static void requireKeptBase(Path file, Object first) {
        String way = first instanceof String text ? text.toLowerCase(Locale.ROOT) : "";
        if (way.startsWith("pissa") || way.equals("olora") || way.equals("corda") || way.equals("loftq") || way.equals("lora_ga")) {
            throw new UnsupportedModelException(file, "init_lora_weights", "first values that leave the base as it is", (String) first,
                    "PEFT's save_pretrained(path_initial_model_for_weight_conversion=...) makes it a plain adapter, or " + MERGE);
        }
    }

    private static boolean isSet(Object value) {
        return switch (value) {
            case null -> false;
            case Boolean flag -> flag;
            case Collection<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case JsonObject object -> !object.values().isEmpty();
            default -> true;
        };
    }
}
