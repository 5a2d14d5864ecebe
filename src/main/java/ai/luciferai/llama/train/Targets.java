package ai.luciferai.llama.train;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.gguf.TensorInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Chooses the weights that get an adapter. */
public final class Targets {

    /** Linear layers of a block that llama.cpp applies adapters to, whatever the architecture. */
    private static final Pattern LINEAR =
            Pattern.compile("blk\\.\\d+\\.(attn_(q|k|v|qkv|output|gate|q_a|q_b|kv_a_mqa|kv_b|k_b|v_b)|ffn_(gate|up|down)(_shexp)?)\\.weight");

    /** Names that PEFT users know, by Hugging Face's Llama. */
    private static final Map<String, String> PEFT_NAMES = Map.of("q_proj", "attn_q", "k_proj", "attn_k", "v_proj", "attn_v",
            "o_proj", "attn_output", "gate_proj", "ffn_gate", "up_proj", "ffn_up", "down_proj", "ffn_down", "qkv_proj", "attn_qkv");

    private Targets() {}

    /**
     * The weights that the patterns name, in the order of the file.
     *
     * @param patterns a layer's name ({@code attn_q}, {@code q_proj}), or a tensor's with {@code *}; none: every linear layer
     * @throws InvalidOptionException when a pattern names nothing
     */
    public static List<TensorInfo> choose(List<TensorInfo> tensors, List<String> patterns) {
        List<TensorInfo> linear = tensors.stream().filter(t -> t.shape().size() == 2 && LINEAR.matcher(t.name()).matches()).toList();
        if (patterns.isEmpty()) {
            return requireAny(linear, linear, "(all linear layers)");
        }
        var chosen = new TreeSet<Integer>();
        for (String pattern : patterns) {
            Pattern wanted = compile(pattern);
            List<TensorInfo> named = linear.stream().filter(t -> wanted.matcher(t.name()).matches()).toList();
            requireAny(named, linear, pattern).forEach(t -> chosen.add(linear.indexOf(t)));
        }
        return chosen.stream().map(linear::get).toList();
    }

    private static Pattern compile(String pattern) {
        String name = PEFT_NAMES.getOrDefault(pattern, pattern);
        String full = name.startsWith("blk.") ? name : "blk.*." + name;
        full = full.endsWith(".weight") || full.endsWith("*") ? full : full + ".weight";
        var regex = new StringBuilder();
        for (String part : full.split("\\*", -1)) {
            regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(part));
        }
        return Pattern.compile(regex.toString());
    }

    private static List<TensorInfo> requireAny(List<TensorInfo> named, List<TensorInfo> linear, String pattern) {
        if (named.isEmpty()) {
            var known = new TreeSet<String>();
            linear.forEach(t -> known.add(t.name().replaceAll("blk\\.\\d+\\.|\\.weight", "")));
            throw new InvalidOptionException("target", "one of the model's linear layers " + new ArrayList<>(known), pattern);
        }
        return named;
    }
}
