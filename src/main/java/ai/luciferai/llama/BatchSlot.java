package ai.luciferai.llama;

/** One sequence of {@link BatchSchedule}: first its prompt goes in, in chunks, then the chosen tokens, one at a time. */
final class BatchSlot {

    private static final int NONE = -1;

    private final int sequence;
    private final int[] prompt;
    private int fed;
    private int next = NONE;
    private int output = NONE;

    BatchSlot(int sequence, int[] prompt) {
        this.sequence = sequence;
        this.prompt = prompt;
    }

    int sequence() {
        return sequence;
    }

    /** Tokens that the sequence holds, or will after the batch that was filled last. */
    int position() {
        return fed;
    }

    boolean isGenerating() {
        return fed >= prompt.length;
    }

    /** Index in the last batch at which its logits stand; negative: none there. */
    int output() {
        return output;
    }

    /** The token that was chosen and goes in next. */
    void choose(int token) {
        next = token;
    }

    void beginBatch() {
        output = NONE;
    }

    /** Adds the chosen token. */
    void addNext(DecodeBatch batch) {
        output = batch.add(next, fed++, sequence, true);
    }

    /** Adds as much of the prompt as there is room for. */
    void addPrompt(DecodeBatch batch) {
        while (fed < prompt.length && batch.room() > 0) {
            boolean last = fed == prompt.length - 1;
            int index = batch.add(prompt[fed], fed, sequence, last);
            fed++;
            output = last ? index : NONE;
        }
    }
}
