package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.hf.PeftAdapter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Factors of experts as PEFT has them with transformers 5, where {@code gate_up_proj} and {@code down_proj} are one parameter for all
 * experts of a layer: the factors of all experts lie in one pair, and the pairs of both parameters are named after the module alone, so
 * that their sizes tell which is which.
 *
 * <p><i>Shape</i>: A [experts · rank, in], B [out, rank · experts], in which the expert changes fastest.
 *
 * <p><i>Source</i>: PEFT 0.21, tuners/lora/layer.py {@code ParamWrapper.get_delta_factors}.
 */
final class FusedExperts {

    private static final Pattern FUSED = Pattern.compile(".*\\.experts(\\.base_layer)*\\.weight");
    /** Families whose experts lie as [experts, out, in], the gates' rows before the others'. */
    private static final Set<String> KNOWN = Set.of("llama", "qwen2moe", "qwen3moe", "olmoe");

    private FusedExperts() {}

    /** Whether a pair of factors is that of all experts. */
    static boolean isFused(String name) {
        return FUSED.matcher(name).matches();
    }

    static void plan(Path folder, PeftAdapter adapter, Architecture architecture, String name, PeftAdapter.Factors pair, OutputType type,
            List<PlannedTensor> planned) {
        if (!KNOWN.contains(architecture.keys.architecture())) {
            throw AdapterConverter.onlyReordered(folder, architecture, name);
        }
        long experts = architecture.positive("num_local_experts", "num_experts");
        long hidden = architecture.require("hidden_size");
        Tensor a = Tensor.of(pair.a());
        Tensor b = Tensor.of(pair.b());
        long width = architecture.require("moe_intermediate_size", "intermediate_size");
        boolean down = a.dim(1) == width && b.dim(0) == hidden;
        boolean gateAndUp = a.dim(1) == hidden && b.dim(0) == 2 * width;
        if (a.dim(0) % experts != 0 || !down && !gateAndUp) {
            throw new UnsupportedModelException(folder, "adapter for '" + name + "'",
                    "factors of " + experts + " experts between " + hidden + " and " + width,
                    "lora_A " + Arrays.toString(pair.a().shape()) + ", lora_B " + Arrays.toString(pair.b().shape()));
        }
        long rank = a.dim(0) / experts;
        String module = name.replaceFirst("(\\.base_layer)*\\.weight$", down ? ".down_proj" : ".gate_up_proj");
        float fold = (float) (adapter.scale(module, rank) / (adapter.alpha() / rank));
        Tensor first = a.reshape(experts, rank, a.dim(1));
        Tensor second = b.reshape(b.dim(0), rank, experts).permute(2, 0, 1);
        int block = Converter.blockOf(name);
        if (down) {
            add(planned, type, architecture.names.of("FFN_DOWN_EXP", block), first, second, fold);
        } else {
            long half = b.dim(0) / 2;
            add(planned, type, architecture.names.of("FFN_GATE_EXP", block), first, second.slice(1, 0, half), fold);
            add(planned, type, architecture.names.of("FFN_UP_EXP", block), first, second.slice(1, half, 2 * half), fold);
        }
    }

    private static void add(List<PlannedTensor> planned, OutputType type, String name, Tensor a, Tensor b, float fold) {
        planned.add(PlannedTensor.of(name + ".lora_a", type.type(), a));
        planned.add(PlannedTensor.of(name + ".lora_b", type.type(), AdapterConverter.scaled(b, fold)));
    }
}
