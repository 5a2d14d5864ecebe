package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.ClosedException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class OccupancyTest {

    private final Occupancy occupancy = new Occupancy("context #1 of tiny.gguf");

    @Test
    void refusesASecondThreadAndNamesTheFirst() {
        occupancy.enter("generate");
        BusyException e = assertThrows(BusyException.class, () -> elsewhere(() -> occupancy.enter("save")));
        assertTrue(e.getMessage().contains("context #1 of tiny.gguf") && e.getMessage().contains("generate"), e.getMessage());
        occupancy.leave();
        elsewhere(() -> {
            occupancy.enter("save");
            occupancy.leave();
        });
    }

    @Test
    void theThreadInsideMayEnterAgainButNotClose() {
        occupancy.enter("generate");
        occupancy.enter("tokens");
        occupancy.leave();
        assertThrows(BusyException.class, occupancy::closeOnce);
        assertThrows(BusyException.class, () -> occupancy.enterAlone("close"));
        occupancy.leave();
        assertTrue(occupancy.closeOnce());
    }

    @Test
    void closesOnceAndThenLetsNobodyIn() {
        assertTrue(occupancy.closeOnce());
        assertFalse(occupancy.closeOnce());
        assertThrows(ClosedException.class, () -> occupancy.enter("generate"));
    }

    @Test
    void closesChildrenNewestFirst() {
        Children children = new Children();
        List<String> closed = new ArrayList<>();
        children.add(child("a", closed));
        children.add(child("b", closed));
        children.closeAll("close");
        assertEquals(List.of("b", "a"), closed);
    }

    @Test
    void closesNoChildWhenOneIsInUse() {
        Children children = new Children();
        List<String> closed = new ArrayList<>();
        Child busy = child("a", closed);
        children.add(busy);
        children.add(child("b", closed));
        elsewhere(() -> busy.occupancy().enter("generate"));
        assertThrows(BusyException.class, () -> children.closeAll("close"));
        assertEquals(List.of(), closed);
    }

    private static Child child(String name, List<String> closed) {
        Occupancy own = new Occupancy(name);
        return new Child() {
            @Override
            public Occupancy occupancy() {
                return own;
            }

            @Override
            public void closeReserved() {
                own.closeReserved();
                closed.add(name);
            }
        };
    }

    private static void elsewhere(Runnable work) {
        try {
            CompletableFuture.runAsync(work).join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }
}
