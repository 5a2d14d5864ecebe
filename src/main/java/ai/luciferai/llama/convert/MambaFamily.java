package ai.luciferai.llama.convert;

import java.io.IOException;

/**
 * Mamba 1 and 2.
 *
 * <p><i>Source</i>: llama.cpp, conversion/mamba.py.
 */
final class MambaFamily extends Architecture {

    private final boolean second;
    private Tensor embedding;

    MambaFamily(ModelSource source) {
        super(source);
        this.second = keys.architecture().equals("mamba2");
    }

    private long or(long otherwise, String... candidates) {
        return find(candidates) instanceof Long n && n != 0 ? n : otherwise;
    }

    private long width() {
        return require("hidden_size", "d_model", "dim");
    }

    private long innerWidth() {
        return second ? or(or(2, "mamba_expand", "expand") * width(), "mamba_d_ssm", "intermediate_size", "d_inner")
                : or(2 * width(), "intermediate_size", "d_inner");
    }

    @Override
    String filter(String name) {
        String plain = second && (name.startsWith("model.backbone") || name.startsWith("model.lm_head")) ? name.substring("model.".length()) : name;
        if (second && plain.endsWith(".dt_bias")) {
            plain = plain.substring(0, plain.length() - ".dt_bias".length()) + ".dt_proj.bias";
        }
        return super.filter(plain);
    }

    @Override
    void modify(Tensor tensor, String name, int block, Sink sink) {
        String mapped = map(name);
        Tensor shaped = names.is(mapped, "SSM_CONV1D", block) ? tensor.squeeze() : tensor;
        if (second && block >= 0 && (mapped.equals(names.of("SSM_A", block, "")) || mapped.equals(names.of("SSM_D", block, "")))) {
            shaped = tensor.reshape(tensor.count(), 1);
        } else if (second && names.is(mapped, "SSM_NORM", block)) {
            long groups = or(1, "n_groups");
            shaped = tensor.reshape(groups, innerWidth() / groups);
        }
        if (name.endsWith(".A_log")) {
            shaped = decay(shaped);
        }
        if (!second && mapped.equals("output.weight") && embedding != null && sameElements(embedding, shaped)) {
            return;
        }
        if (mapped.equals("token_embd.weight")) {
            embedding = shaped;
        }
        sink.add(mapped, shaped);
    }

    /** From logarithm to decay: A = -exp(A_log). */
    static Tensor decay(Tensor logarithm) {
        return logarithm.map(x -> -(float) Math.exp(x));
    }

    private static boolean sameElements(Tensor a, Tensor b) {
        if (a.count() != b.count()) {
            return false;
        }
        float[] ofA = new float[1 << 14];
        float[] ofB = new float[1 << 14];
        var readA = new TensorReader(a);
        var readB = new TensorReader(b);
        for (long at = 0; at < a.count(); at += ofA.length) {
            int n = (int) Math.min(ofA.length, a.count() - at);
            readA.read(at, ofA, n);
            readB.read(at, ofB, n);
            for (int i = 0; i < n; i++) {
                if (ofA[i] != ofB[i]) {
                    return false;
                }
            }
        }
        return true;
    }

    @Override
    void parameters() {
        long headSize = or(64, "mamba_d_head", "head_dim");
        keys.u32(".context_length", 1L << 20); // none in the files
        keys.u32(".embedding_length", width());
        keys.u32(".feed_forward_length", 0L);
        keys.u32(".attention.head_count", 0L);
        keys.u32(".block_count", blocks);
        keys.u32(".ssm.conv_kernel", or(4, "conv_kernel", "d_conv"));
        keys.u32(".ssm.inner_size", innerWidth());
        keys.u32(".ssm.state_size", or(second ? 128 : 16, "state_size", "d_state"));
        keys.u32(".ssm.time_step_rank", second ? innerWidth() / headSize : or((width() + 15) / 16, "time_step_rank", "dt_rank"));
        if (second) {
            keys.u32(".ssm.group_count", or(1, "n_groups"));
        }
        Object epsilon = find("layer_norm_epsilon", "rms_norm_eps");
        keys.f32(".attention.layer_norm_rms_epsilon", epsilon == null ? 1e-5 : epsilon);
        if (!second) {
            keys.bool(".ssm.dt_b_c_rms", "falcon_mamba".equals(config.get("model_type")));
        }
        fileType();
    }

    @Override
    void vocabulary(Vocabulary vocabulary) throws IOException {
        long multiple = or(second ? 16 : 8, "pad_vocab_size_multiple");
        config.values().put("vocab_size", (config.requireWhole("vocab_size") + multiple - 1) / multiple * multiple);
        boolean json = vocabulary.has("tokenizer.json");
        if (vocabulary.has("tokenizer.model") && (second || !json)) {
            vocabulary.sentencePiece();
        } else if (json) {
            vocabulary.byteLevel();
        } else {
            NeoxVocabulary.write(keys, config.requireWhole("vocab_size"));
        }
    }
}
