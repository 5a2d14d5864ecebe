package ai.luciferai.llama.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cancel, progress, mapped files and messages. */
class CoreTest {

    @TempDir
    Path folder;

    @Test
    void cancelIsSeenByJavaAndByNativeCode() {
        var cancel = new Cancel();
        cancel.check("work");
        assertEquals(0, cancel.segment().get(ValueLayout.JAVA_INT, 0));
        cancel.request();
        assertTrue(cancel.requested());
        assertEquals(1, cancel.segment().get(ValueLayout.JAVA_INT, 0));
        assertEquals("load of x was cancelled",
                assertThrows(CancelledException.class, () -> cancel.check("load of x")).getMessage());
    }

    @Test
    void noneIsNeverCancelled() {
        assertFalse(Cancel.NONE.requested());
        assertEquals(MemorySegment.NULL, Cancel.NONE.segment());
        assertThrows(UnsupportedOperationException.class, Cancel.NONE::request);
    }

    @Test
    void cancelReachesAnotherThread() throws InterruptedException {
        var cancel = new Cancel();
        Thread worker = Thread.ofPlatform().start(() -> {
            while (!cancel.requested()) {
                Thread.onSpinWait();
            }
        });
        cancel.request();
        worker.join(10_000);
        assertFalse(worker.isAlive());
    }

    @Test
    void limitsAreThoseOfTheProperties() {
        assertEquals(new Limits(256, 10), Limits.current());
        System.setProperty(Limits.MIB, "1024");
        System.setProperty(Limits.SECONDS, "0.5");
        try {
            assertEquals(new Limits(1024, 0.5), Limits.current());
            assertEquals(500_000_000, Limits.current().nanos());
            for (String wrong : List.of("", "0", "-1", "1e99", "NaN", "x")) {
                System.setProperty(Limits.SECONDS, wrong);
                assertTrue(assertThrows(InvalidOptionException.class, Limits::current).getMessage().contains(Limits.SECONDS), wrong);
            }
        } finally {
            System.clearProperty(Limits.MIB);
            System.clearProperty(Limits.SECONDS);
        }
    }

    @Test
    void listenerThatThrowsIsDropped() {
        var heard = new ArrayList<Long>();
        Progress guarded = Progress.guarded(event -> {
            heard.add(event.done());
            if (event.done() == 2) {
                throw new IllegalStateException("listener");
            }
        });
        for (long done = 1; done <= 4; done++) {
            guarded.update(new Progress.Event("load", done, 4, "bytes"));
        }
        assertEquals(List.of(1L, 2L), heard);
        assertSame(Progress.NONE, Progress.guarded(null));
        assertSame(guarded, Progress.guarded(guarded));
    }

    @Test
    void eventsKnowTheirShare() {
        assertEquals(0.25, new Progress.Event("p", 1, 4, "").fraction());
        assertEquals(1.0, new Progress.Event("p", 5, 4, "", Map.of("loss", 2.0)).fraction());
        assertTrue(Double.isNaN(new Progress.Event("p", 5, -1, "").fraction()));
    }

    @Test
    void mappedFilesEndOnce() throws Exception {
        Path path = Files.writeString(folder.resolve("file"), "abc");
        MappedFile file = MappedFile.open(path);
        MemorySegment view = file.segment().asSlice(1);
        assertEquals('b', view.get(ValueLayout.JAVA_BYTE, 0));
        file.close();
        file.close();
        assertThrows(ClosedException.class, file::segment);
        assertThrows(IllegalStateException.class, () -> view.get(ValueLayout.JAVA_BYTE, 0));
        assertEquals(3, file.size());
    }

    @Test
    void emptyFilesMapToNothing() throws Exception {
        try (MappedFile file = MappedFile.open(Files.createFile(folder.resolve("empty")))) {
            assertEquals(0, file.size());
        }
    }

    @Test
    void messagesSayWhatWhereExpectedGotAndHint() {
        String end = System.lineSeparator() + "HINT: do that";
        assertEquals("m.gguf: tensor 'x': expected 1, got 2" + end,
                new InvalidFileException(Path.of("m.gguf"), "tensor 'x'", "1", "2", "do that").getMessage());
        assertEquals("m.gguf: architecture is not supported: expected a, got b" + end,
                new UnsupportedModelException("m.gguf", "architecture", "a", "b", "do that").getMessage());
        assertEquals("option topP: expected 0 to 1, got 2" + end,
                new InvalidOptionException("topP", "0 to 1", 2, "do that").getMessage());
        assertEquals("why (f: ABORTED)" + System.lineSeparator() + "  line",
                new NativeCallException("f", "ABORTED", "why\n", List.of("line", "why")).getMessage());
        assertTrue(new ContextFullException("prompt", 10, 8).getMessage().startsWith("prompt needs 10 tokens, the context holds 8"));
        assertTrue(new BusyException("model", "generate").getMessage().startsWith("model is in use by generate"));
        assertNull(new ClosedException("x").hint());
        assertEquals("do that", new OutOfMemoryException("no room", "do that").hint());
        assertEquals("do that", new NativeLibraryException("no library", "do that").hint());
    }
}
