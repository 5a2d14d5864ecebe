package ai.luciferai.llama.convert;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Qwen3-Next: most layers have linear attention, every fourth the usual one; a layer that predicts a further token stands behind the others.
 * A checkpoint without that layer is converted too; the reference wants one.
 *
 * <p><i>Source</i>: llama.cpp, conversion/qwen.py {@code Qwen3NextModel}, {@code _QwenMtpMixin}.
 */
final class Qwen3NextFamily extends QwenFamily.Experts {

    private static final Pattern PREDICTOR = Pattern.compile("(?:model\\.)?mtp\\.layers\\.(\\d{1,4})\\.(.+)");

    Qwen3NextFamily(ModelSource source) {
        super(source);
    }

    /** Layers of the model itself. */
    private long layers() {
        return super.countBlocks();
    }

    @Override
    protected long countBlocks() {
        long further = find("mtp_num_hidden_layers") instanceof Long n ? n : 0;
        for (String name : further > 0 ? List.<String>of() : source.tensors()) {
            Matcher predictor = PREDICTOR.matcher(name);
            further = predictor.matches() ? Math.max(further, Long.parseLong(predictor.group(1)) + 1) : further;
        }
        return layers() + further;
    }

    @Override
    String filter(String given) {
        String name = super.filter(given);
        if (name == null) {
            return null;
        }
        Matcher predictor = PREDICTOR.matcher(name);
        if (predictor.matches()) {
            return "model.layers." + (layers() + Long.parseLong(predictor.group(1))) + "." + predictor.group(2);
        }
        String[] parts = name.replaceFirst("^model\\.mtp\\.", "mtp.").split("\\.");
        String part = parts.length != 3 || !parts[0].equals("mtp") ? null : switch (parts[1]) {
            case "fc" -> "eh_proj";
            case "pre_fc_norm_embedding" -> "enorm";
            case "pre_fc_norm_hidden" -> "hnorm";
            case "norm" -> "shared_head.norm";
            default -> null;
        };
        return part == null ? name : "model.layers." + layers() + "." + part + "." + parts[2];
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        if (name.contains("in_proj_qkvz.weight")) {
            queriesKeysValues(tensor, block, sink);
        } else if (name.endsWith(".A_log")) {
            super.modify(MambaFamily.decay(tensor), name, block, sink);
        } else if (name.endsWith(".dt_bias")) {
            super.modify(tensor, name.substring(0, name.length() - ".dt_bias".length()) + ".dt_proj.bias", block, sink);
        } else if (name.contains("conv1d")) {
            super.modify(tensor.squeeze(), name, block, sink);
        } else {
            boolean shifted = name.endsWith("norm.weight") && !name.endsWith("linear_attn.norm.weight");
            super.modify(shifted ? tensor.plusOne() : tensor, name, block, sink);
        }
    }

    /** Rows by head, each with its q, k, v and z, become all q, all k, all v; the gates z are a matrix of their own. */
    private void queriesKeysValues(Tensor tensor, int block, Sink sink) {
        long heads = positive("linear_num_key_heads");
        long key = require("linear_key_head_dim");
        long value = require("linear_num_value_heads") / heads * require("linear_value_head_dim");
        long width = tensor.dim(1);
        List<Tensor> parts = new ArrayList<>();
        for (Tensor part : tensor.reshape(heads, 2 * key + 2 * value, width).split(1, key, key, value, value)) {
            parts.add(part.reshape(heads * part.dim(1), width));
        }
        sink.add(names.of("ATTN_QKV", block), Tensor.concat(parts.subList(0, 3)));
        sink.add(names.of("ATTN_GATE", block), parts.get(3));
    }

    @Override
    void parameters() throws IOException {
        super.parameters();
        if (blocks > layers()) {
            keys.u32(".nextn_predict_layers", blocks - layers());
        }
        keys.u32(".ssm.conv_kernel", require("linear_conv_kernel_dim"));
        keys.u32(".ssm.state_size", require("linear_key_head_dim"));
        keys.u32(".ssm.group_count", require("linear_num_key_heads"));
        keys.u32(".ssm.time_step_rank", require("linear_num_value_heads"));
        keys.u32(".ssm.inner_size", require("linear_value_head_dim") * require("linear_num_value_heads"));
        if (config.get("layer_types") instanceof List<?> types) {
            var recurrent = new ArrayList<Object>();
            types.forEach(type -> recurrent.add("linear_attention".equals(type)));
            while (recurrent.size() < blocks) {
                recurrent.add(false);
            }
            keys.list(".attention.recurrent_layers", recurrent);
        }
        keys.u32(".full_attention_interval", config.has("full_attention_interval") ? config.get("full_attention_interval") : (Object) 4L);
        long head = config.has("head_dim") ? require("head_dim") : require("hidden_size") / positive("num_attention_heads");
        Double part = rope.number("partial_rotary_factor");
        keys.u32(".rope.dimension_count", (long) (head * (part == null ? 0.25 : part)));
    }
}
