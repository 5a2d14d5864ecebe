package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.gguf.GgmlType;
import java.lang.foreign.MemorySegment;

/**
 * GPT-OSS: experts in MXFP4, four bits with a power of two as scale per 32, or in BF16.
 *
 * <p><i>Source</i>: llama.cpp, conversion/gpt_oss.py. ggml keeps element i and i + 16 of a block in one byte, the checkpoint element 2i and
 * 2i + 1.
 */
final class GptOssFamily extends Architecture {

    private Tensor downBlocks;
    private Tensor gateUpBlocks;

    GptOssFamily(ModelSource source) {
        super(source);
    }

    /** The tensors in MXFP4 stand in front of all others. */
    @Override
    void before(String name, Tensor tensor, Sink sink) {
        if (name.contains("mlp.experts.down_proj_blocks")) {
            downBlocks = tensor;
        } else if (name.contains("mlp.experts.down_proj_scales")) {
            sink.add(map(name.replace("_scales", ".weight")), packed(downBlocks, tensor, 0, 1, name));
        } else if (name.contains("mlp.experts.gate_up_proj_blocks")) {
            gateUpBlocks = tensor;
        } else if (name.contains("mlp.experts.gate_up_proj_scales")) {
            sink.add(map(name.replace("gate_up_proj_scales", "gate_proj.weight")), packed(gateUpBlocks, tensor, 0, 2, name));
            sink.add(map(name.replace("gate_up_proj_scales", "up_proj.weight")), packed(gateUpBlocks, tensor, 1, 2, name));
        }
    }

    /** Every {@code step}-th row of [experts, rows, groups, 16] blocks and [experts, rows, groups] scales. */
    private Tensor packed(Tensor blocks, Tensor scales, int first, int step, String name) {
        if (blocks == null || blocks.rank() != 4 || scales.rank() != 3 || blocks.dim(3) != 16 || blocks.count() != 16 * scales.count()) {
            throw new InvalidFileException(source.folder(), "tensor '" + name + "'", "blocks of 16 bytes, one for each scale", "other shapes");
        }
        Tensor ofBlocks = blocks.every(1, first, step);
        Tensor ofScales = scales.every(1, first, step);
        return Tensor.packed(GgmlType.MXFP4, () -> {
            byte[] values = ofBlocks.toBytes();
            byte[] exponents = ofScales.toBytes();
            byte[] out = new byte[exponents.length * 17];
            for (int block = 0; block < exponents.length; block++) {
                out[block * 17] = exponents[block];
                for (int i = 0; i < 16; i++) {
                    int low = nibble(values, block, i);
                    int high = nibble(values, block, i + 16);
                    out[block * 17 + 1 + i] = (byte) (low | high << 4);
                }
            }
            return MemorySegment.ofArray(out);
        }, ofScales.dim(0), ofScales.dim(1), ofScales.dim(2) * 32);
    }

    private static int nibble(byte[] values, int block, int element) {
        return values[block * 16 + element / 2] >> element % 2 * 4 & 15;
    }

    @Override
    String filter(String name) {
        return super.filter(name.contains("sinks") ? name + ".weight" : name);
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        if (name.contains("_blocks") || name.contains("_scales")) {
            return;
        }
        if (name.contains("gate_up_proj")) {
            boolean bias = name.endsWith("_bias");
            String suffix = bias ? ".bias" : ".weight";
            String from = bias ? "gate_up_proj_bias" : "gate_up_proj";
            Tensor seen = bias ? tensor : tensor.transpose();
            super.modify(seen.every(1, 0, 2), name.replace(from, "gate_proj" + suffix), block, sink);
            super.modify(seen.every(1, 1, 2), name.replace(from, "up_proj" + suffix), block, sink);
        } else if (name.contains("down_proj")) {
            boolean bias = name.endsWith("_bias");
            super.modify(bias ? tensor : tensor.transpose(), bias ? name.replace("down_proj_bias", "down_proj.bias")
                    : name.replace("down_proj", "down_proj.weight"), block, sink);
        } else {
            super.modify(tensor, name, block, sink);
        }
    }

    @Override
    void parameters() {
        defaultParameters();
        keys.u32(".attention.sliding_window", config.requireWhole("sliding_window"));
        keys.u32(".expert_feed_forward_length", config.requireWhole("intermediate_size"));
    }
}
