package ai.luciferai.llama.convert;

import java.util.regex.Pattern;

/** What a tensor may be that no family has, by its name: what to do depends on it. */
final class UnknownTensor {

    /** Beside the weights of a quantized checkpoint: ModelOpt, GPTQ, AWQ, bitsandbytes, compressed-tensors, HQQ, torchao. */
    private static final Pattern QUANTIZED = Pattern.compile(".*[._](input_scale|output_scale|weight_scale(_\\w+)?|activation_scale"
            + "|[kvq]_scale|[kv]_proj\\.[kv]_scale|pre_quant_scale|_?amax|weight_packed|weight_shape|weight_zero_point|qweight|qzeros|scales"
            + "|g_idx|absmax|quant_map|nested_absmax|nested_quant_map|quant_state\\..*|SCB|weight_format|W_q)");

    private static final Pattern ADAPTER = Pattern.compile(".*(lora_|\\.base_layer\\.|modules_to_save|hada_w|lokr_|ia3_|oft_|\\.adapters?\\.|prompt_).*");

    private UnknownTensor() {}

    /** The remedy, null when there is no telling. */
    static String hint(String name) {
        if (QUANTIZED.matcher(name).matches()) {
            return "the checkpoint is quantized in a way that this version does not read: convert the model that it was quantized from, and "
                    + "quantize the result";
        }
        if (ADAPTER.matcher(name).matches()) {
            return "a fine-tune may carry tensors of its method: merge it into the plain model first";
        }
        return "the checkpoint has more than this version knows of its architecture: is it of another one, or of a newer kind?";
    }
}
