package ai.luciferai.llama.convert;

import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.util.List;

/**
 * Qwen 2, 2.5 and 3, dense and with experts, the text models of those that see, and OLMoE, which names its experts alike.
 *
 * <p><i>Source</i>: llama.cpp, conversion/qwen.py, qwen3vl.py, olmo.py.
 */
final class QwenFamily {

    private QwenFamily() {}

    /** Dense models, also as embedding models without a head. */
    static class Dense extends Architecture {

        Dense(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            super.modify(tensor, source.architecture().equals("Qwen2Model") || source.architecture().equals("Qwen3Model")
                    && !name.startsWith("model.") ? "model." + name : name, block, sink);
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            poolingType();
        }
    }

    /** Models with experts: one by one in older checkpoints, fused in newer ones. */
    static class Experts extends Architecture {

        Experts(ModelSource source) {
            super(source);
            stackExperts("experts", MLP_EXPERTS, "num_experts", "down_proj", "gate_proj", "up_proj");
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            String plain = name.endsWith(".weight") ? name.substring(0, name.length() - ".weight".length()) : name;
            if (plain.endsWith("mlp.experts.down_proj")) {
                sink.add(map(plain + ".weight"), tensor);
            } else if (plain.endsWith("mlp.experts.gate_up_proj")) {
                long half = tensor.dim(1) / 2;
                String base = plain.substring(0, plain.length() - "gate_up_proj".length());
                sink.add(map(base + "gate_proj.weight"), tensor.slice(1, 0, half));
                sink.add(map(base + "up_proj.weight"), tensor.slice(1, half, 2 * half));
            } else {
                super.modify(tensor, name, block, sink);
            }
        }
    }

    /** Layers into which Qwen 3 VL puts what it sees; the class of its configuration says three. */
    private static long deepstackLayers(JsonObject config) {
        return config.objectOrEmpty("vision_config").get("deepstack_visual_indexes") instanceof List<?> layers ? layers.size() : 3;
    }

    /** The text model of Qwen 3 VL. */
    static final class Vision extends Dense {

        Vision(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            keys.u32(".n_deepstack_layers", deepstackLayers(config));
        }
    }

    /** The text model of Qwen 3 VL with experts, whose fused matrices are transposed. */
    static final class VisionExperts extends Experts {

        VisionExperts(ModelSource source) {
            super(source);
        }

        @Override
        void modify(Tensor tensor, String name, int block, Sink sink) {
            boolean fused = name.matches(".*mlp\\.experts\\.(down|gate_up)_proj(\\.weight)?");
            super.modify(fused ? tensor.transpose() : tensor, name, block, sink);
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            keys.u32(".n_deepstack_layers", deepstackLayers(config));
        }
    }

    /** OLMoE. */
    static final class Olmoe extends Experts {

        Olmoe(ModelSource source) {
            super(source);
        }

        @Override
        void parameters() throws IOException {
            super.parameters();
            keys.f32(".attention.layer_norm_rms_epsilon", 1e-5);
        }
    }
}
