package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The training data and how it becomes tokens.
 *
 * @param train        files of JSON lines, or plain text; their samples are mixed
 * @param eval         data to evaluate on; empty: see {@code evalSplit}
 * @param evalSplit    share of the training data that is kept out for evaluation, chosen by the seed; 0: none
 * @param seqLen       most tokens of a sample; longer ones lose their beginning. 0: the model's context
 * @param packing      whether short samples share a micro-batch; the result is the same
 * @param loss         what is learnt of a sample
 * @param skipBadLines whether lines that are no sample are passed over
 * @param template     chat template for messages
 */
public record DataOptions(List<Path> train, Optional<Path> eval, float evalSplit, int seqLen, boolean packing, Loss loss,
        boolean skipBadLines, ChatTemplate template) {

    /** Which tokens are learnt. */
    public enum Loss {
        /** All of a text; of a prompt and completion or of messages only the answers. */
        AUTO,
        /** Every token. */
        ALL,
        /** Only answers; of a text what stands behind its first line. */
        RESPONSE
    }

    public DataOptions {
        Check.present("train-data", train);
        train = List.copyOf(train);
        Check.require(!train.isEmpty(), "train-data", "at least one file", "none");
        Check.present("eval-data", eval);
        Check.require(evalSplit >= 0 && evalSplit < 1, "eval-split", "at least 0 and below 1", evalSplit);
        Check.require(eval.isEmpty() || evalSplit == 0, "eval-split", "not both eval-data and eval-split", evalSplit);
        Check.require(seqLen == 0 || seqLen >= 2, "seq-len", "0 or at least 2", seqLen);
        Check.present("loss", loss);
        Check.present("chat-template", template);
    }

    public static DataOptions of(Path... train) {
        return new DataOptions(List.of(train), Optional.empty(), 0, 0, true, Loss.AUTO, false, ChatTemplate.own());
    }

    public DataOptions withEval(Path v) {
        return new DataOptions(train, Optional.of(v), evalSplit, seqLen, packing, loss, skipBadLines, template);
    }

    public DataOptions withEvalSplit(float v) {
        return new DataOptions(train, eval, v, seqLen, packing, loss, skipBadLines, template);
    }

    public DataOptions withSeqLen(int v) {
        return new DataOptions(train, eval, evalSplit, v, packing, loss, skipBadLines, template);
    }

    public DataOptions withPacking(boolean v) {
        return new DataOptions(train, eval, evalSplit, seqLen, v, loss, skipBadLines, template);
    }

    public DataOptions withLoss(Loss v) {
        return new DataOptions(train, eval, evalSplit, seqLen, packing, v, skipBadLines, template);
    }

    public DataOptions withSkipBadLines(boolean v) {
        return new DataOptions(train, eval, evalSplit, seqLen, packing, loss, v, template);
    }

    public DataOptions withTemplate(ChatTemplate v) {
        return new DataOptions(train, eval, evalSplit, seqLen, packing, loss, skipBadLines, v);
    }
}
