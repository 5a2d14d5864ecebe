package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_divergence;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/**
 * Judges the logits of one text: what probability its tokens had, and how that compares with another model's. The arithmetic is that of
 * llama-perplexity.
 *
 * <p><i>Ownership</i>: of whoever made it. <i>Threads</i>: one at a time; the rows of a call are shared out over the processors, for with a
 * large vocabulary they cost as much as a small model.
 */
public final class Scorer implements AutoCloseable {

    /** What is asked for: probabilities, these and the whole distribution to keep, or the difference from a kept one. */
    public enum Mode { SCORE, PACK, COMPARE }

    /** Numbers of one token; see the C struct {@code lucifer_divergence}. */
    public record Divergence(double kld, float nll, float nllBase, float pDiff, boolean sameTop) {}

    /** Few rows are not worth the sharing. */
    private static final int ROWS_A_TASK = 8;

    private final Mode mode;
    private final int nVocab;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment labels;
    private final MemorySegment nll;
    private final MemorySegment packed;
    private final MemorySegment divergences;

    /** @param rows most tokens of a text that are judged */
    public Scorer(Mode mode, int nVocab, int rows) {
        this.mode = mode;
        this.nVocab = nVocab;
        this.labels = arena.allocate(ValueLayout.JAVA_INT, rows);
        this.nll = arena.allocate(ValueLayout.JAVA_DOUBLE, rows);
        this.packed = mode == Mode.SCORE ? MemorySegment.NULL : arena.allocate(packedBytes(nVocab) * rows, Long.BYTES);
        this.divergences = mode == Mode.COMPARE ? lucifer_divergence.allocateArray(rows, arena) : MemorySegment.NULL;
    }

    /** Bytes of one token's distribution: scale and minimum, then 16 bits for each word of the vocabulary, an even number. */
    public static long packedBytes(int nVocab) {
        return Short.BYTES * (4 + 2 * ((nVocab + 1L) / 2));
    }

    /** Sets the tokens that the rows are to predict. */
    public void labels(int[] tokens, int from, int n) {
        MemorySegment.copy(tokens, from, labels, ValueLayout.JAVA_INT, 0, n);
    }

    /** The distributions of all rows: written by {@link Mode#PACK}, to be filled before {@link Mode#COMPARE}. */
    public ByteBuffer packed() {
        return packed.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** Judges rows {@code row} and following by the outputs of the context's last batch from token {@code index} on. */
    public void judge(ContextHandle context, int index, int row, int n) {
        MemorySegment logits = context.rows(index, n);
        int tasks = (n + ROWS_A_TASK - 1) / ROWS_A_TASK;
        IntStream.range(0, tasks).parallel().forEach(task -> {
            int first = task * ROWS_A_TASK;
            judge(logits.asSlice(4L * first * nVocab), row + first, Math.min(ROWS_A_TASK, n - first));
        });
    }

    private void judge(MemorySegment logits, int row, int n) {
        MemorySegment label = labels.asSlice((long) Integer.BYTES * row);
        MemorySegment score = nll.asSlice((long) Double.BYTES * row);
        switch (mode) {
            case SCORE -> Status.checkHot(lucifer_score(logits, n, nVocab, label, score), "lucifer_score");
            case PACK -> Status.checkHot(lucifer_score_pack(logits, n, nVocab, label, packed.asSlice(packedBytes(nVocab) * row), score),
                    "lucifer_score_pack");
            case COMPARE -> Status.checkHot(lucifer_score_compare(logits, n, nVocab, label, packed.asSlice(packedBytes(nVocab) * row),
                    lucifer_divergence.asSlice(divergences, row)), "lucifer_score_compare");
        }
    }

    /** -log of the probability of the token of a row; not with {@link Mode#COMPARE}. */
    public double nll(int row) {
        return nll.getAtIndex(ValueLayout.JAVA_DOUBLE, row);
    }

    /** What {@link Mode#COMPARE} has found at a row. */
    public Divergence divergence(int row) {
        MemorySegment one = lucifer_divergence.asSlice(divergences, row);
        return new Divergence(lucifer_divergence.kld(one), lucifer_divergence.nll(one), lucifer_divergence.nll_base(one),
                lucifer_divergence.p_diff(one), lucifer_divergence.same_top(one) != 0);
    }

    @Override
    public void close() {
        arena.close();
    }
}
