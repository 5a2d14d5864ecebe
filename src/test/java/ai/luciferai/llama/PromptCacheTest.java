package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PromptCacheTest {

    @Test
    void reusesTheCommonBeginning() {
        assertEquals(2, PromptCache.reusable(held(1, 2, 3), new int[] {1, 2, 9, 9}));
        assertEquals(3, PromptCache.reusable(held(1, 2, 3), new int[] {1, 2, 3, 4}));
        assertEquals(0, PromptCache.reusable(held(1, 2, 3), new int[] {5}));
        assertEquals(0, PromptCache.reusable(held(), new int[] {5, 6}));
    }

    @Test
    void alwaysComputesTheLastToken() {
        assertEquals(2, PromptCache.reusable(held(1, 2, 3), new int[] {1, 2, 3}));
        assertEquals(1, PromptCache.reusable(held(1, 2, 3), new int[] {1, 2}));
        assertEquals(0, PromptCache.reusable(held(1), new int[] {1}));
    }

    @Test
    void aWindowMustStillHoldWhatTheTextLooksBackOn() {
        assertTrue(PromptCache.windowCovers(100, 0, 0));
        assertTrue(PromptCache.windowCovers(100, 68, 32));
        assertFalse(PromptCache.windowCovers(100, 69, 32));
        assertTrue(PromptCache.windowCovers(10, 0, 32));
        assertFalse(PromptCache.windowCovers(0, -1, 0));
    }

    @Test
    void tokenListGrowsAndTruncates() {
        TokenList list = new TokenList();
        for (int i = 0; i < 1_000; i++) {
            list.add(i);
        }
        assertEquals(999, list.get(999));
        list.truncate(3);
        list.addAll(new int[] {7, 8, 9}, 1, 3);
        org.junit.jupiter.api.Assertions.assertArrayEquals(new int[] {0, 1, 2, 8, 9}, list.toArray());
    }

    private static TokenList held(int... ids) {
        TokenList list = new TokenList();
        list.addAll(ids, 0, ids.length);
        return list;
    }
}
