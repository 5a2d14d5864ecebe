package ai.luciferai.llama.train;

import ai.luciferai.llama.gguf.Metadata;
import ai.luciferai.llama.gguf.TensorInfo;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How much memory a training takes that keeps all activations. An estimate from the sizes of the model's weights, for what is really taken
 * is known only when the graphs are built.
 */
public final class ActivationMemory {

    /** Logits of as many bytes are made at a time, of at least as many rows, as the trainer has it. */
    private static final long HEAD_BYTES = 64 << 20;
    private static final long HEAD_ROWS = 64;

    /** Logits, and their softmax or gradient. */
    private static final int HEAD_COPIES = 2;

    /** What norms and sums leave in a layer, in widths of the hidden state. */
    private static final int WIDTHS = 3;

    /** Plain operations of which a GELU in F32 consists. */
    private static final int GELU_OPERATIONS = 6;

    private static final Pattern WEIGHT = Pattern.compile("blk\\.\\d+\\.(attn_\\w+?|ffn_\\w+?)(_exps|_shexp)?\\.weight");

    /** Whose attention is more than a softmax of scores and mask, which their files need not say: it has a cap, or ALiBi's slopes. */
    private static final Set<String> BEYOND_SOFTMAX = Set.of("gemma2", "grok", "bloom", "mpt", "refact", "jais", "baichuan");

    private ActivationMemory() {}

    /**
     * What is known of a model.
     *
     * @param heads    of attention
     * @param onDevice whether layers lie elsewhere than in the CPU's memory, so that scores of attention exist as a whole
     */
    public record Base(Metadata metadata, List<TensorInfo> tensors, int layers, int width, int heads, int vocabulary, boolean onDevice) {

        private String architecture() {
            return metadata.string(Metadata.ARCHITECTURE);
        }

        private boolean keepsScores() {
            return onDevice || BEYOND_SOFTMAX.contains(architecture()) || metadata.has(architecture() + ".attn_logit_softcapping")
                    || metadata.has(architecture() + ".attention.max_alibi_bias");
        }

        private boolean hasTensor(String part) {
            return tensors.stream().anyMatch(t -> t.name().contains(part));
        }
    }

    /** Bytes for the largest micro-batch, with an adapter of this rank on as many weights. */
    public static long wholeBytes(Base base, int adapters, int rank, TrainingPlan.Shape shape) {
        long rows = shape.rows();
        long square = rows * (base.onDevice() ? (rows + 255) / 256 * 256 : rows);
        long squares = base.keepsScores() ? 1 + base.heads() * (2L * base.layers() + 1) : 1;  // the mask; kept scores, and those in passing
        long chunk = Math.min(shape.outputs(), Math.max(HEAD_ROWS, HEAD_BYTES / Float.BYTES / base.vocabulary()));
        long floats = Math.multiplyExact(rows, ofRow(base) + (long) rank * adapters) + Math.multiplyExact(square, squares)
                + HEAD_COPIES * chunk * base.vocabulary();
        return Math.multiplyExact(floats, (long) Float.BYTES);
    }

    /** Numbers of a row: results of all weights and what else the backward pass reads, and the widest of them twice in passing. */
    private static long ofRow(Base base) {
        long used = base.metadata().integer(base.architecture() + ".expert_used_count", 0);
        boolean normed = base.hasTensor(".attn_q_norm.");
        boolean gelu = base.architecture().startsWith("gemma") || !base.hasTensor(".ffn_gate") && !base.architecture().equals("phi3");
        long kept = (long) WIDTHS * base.layers() * base.width();
        long widest = 0;
        for (TensorInfo t : base.tensors()) {
            Matcher weight = WEIGHT.matcher(t.name());
            if (!weight.matches() || t.shape().size() < 2) {
                continue;
            }
            long times = t.shape().size() > 2 ? used : 1;
            long out = times * t.ne(1);
            kept += out + switch (weight.group(1)) {
                case "attn_output", "ffn_down" -> times * t.ne(0);  // what goes in is no weight's result
                case "attn_q", "attn_k" -> normed ? 2 * out : 0;
                case "ffn_up" -> gelu ? GELU_OPERATIONS * out : 0;
                default -> 0;
            };
            widest = Math.max(widest, out);
        }
        return kept + 2 * widest;
    }
}
