package ai.luciferai.llama;

import java.util.List;

/**
 * Fills one decode batch from several sequences: those that generate go first, one token each, so that none of them waits; prompts take
 * what room is left.
 */
final class BatchSchedule {

    private BatchSchedule() {}

    static void fill(DecodeBatch batch, List<BatchSlot> slots) {
        batch.clear();
        slots.forEach(BatchSlot::beginBatch);
        for (BatchSlot slot : slots) {
            if (slot.isGenerating()) {
                slot.addNext(batch);
            }
        }
        for (BatchSlot slot : slots) {
            // a slot that has just had its one token is past its prompt and adds nothing here
            slot.addPrompt(batch);
        }
    }
}
