package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchScheduleTest {

    @Test
    void promptsShareABatchAndOnlyTheirLastTokensAsk() {
        RecordedBatch batch = new RecordedBatch(8);
        List<BatchSlot> slots = List.of(new BatchSlot(0, new int[] {1, 2}), new BatchSlot(1, new int[] {3, 4, 5}));
        BatchSchedule.fill(batch, slots);
        assertArrayEquals(new int[] {1, 2, 3, 4, 5}, Arrays.copyOf(batch.tokens, batch.size()));
        assertArrayEquals(new int[] {0, 1, 0, 1, 2}, Arrays.copyOf(batch.positions, batch.size()));
        assertArrayEquals(new int[] {0, 0, 1, 1, 1}, Arrays.copyOf(batch.sequences, batch.size()));
        assertArrayEquals(new boolean[] {false, true, false, false, true}, Arrays.copyOf(batch.outputs, batch.size()));
        assertEquals(1, slots.get(0).output());
        assertEquals(4, slots.get(1).output());
    }

    @Test
    void longPromptsGoInChunksAndDoNotHoldUpOthers() {
        RecordedBatch batch = new RecordedBatch(4);
        BatchSlot quick = new BatchSlot(0, new int[] {1});
        BatchSlot slow = new BatchSlot(1, new int[] {2, 3, 4, 5, 6, 7});
        BatchSchedule.fill(batch, List.of(quick, slow));
        assertEquals(4, batch.size());
        assertTrue(slow.output() < 0);
        quick.choose(9);
        BatchSchedule.fill(batch, List.of(quick, slow));
        assertArrayEquals(new int[] {9, 5, 6, 7}, batch.tokens);
        assertArrayEquals(new int[] {1, 3, 4, 5}, batch.positions);
        assertEquals(0, quick.output());
        assertEquals(3, slow.output());
    }

    @Test
    void aSlotWithoutRoomWaits() {
        RecordedBatch batch = new RecordedBatch(2);
        BatchSlot first = new BatchSlot(0, new int[] {1, 2});
        BatchSlot second = new BatchSlot(1, new int[] {3});
        BatchSchedule.fill(batch, List.of(first, second));
        assertTrue(second.output() < 0);
        assertEquals(0, second.position());
        first.choose(7);
        BatchSchedule.fill(batch, List.of(first, second));
        assertArrayEquals(new int[] {7, 3}, batch.tokens);
        assertEquals(1, second.output());
    }
}
