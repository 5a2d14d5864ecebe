package ai.luciferai.llama.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class StandInTest {

    private static final Path TEMPORARY = Path.of("/x/.out.gguf.1.part");
    private static final Path KNOWN = Path.of("/x/out.gguf");

    private static FileSystemException told(FileSystemException fault) {
        return assertThrows(FileSystemException.class, () -> StandIn.of(TEMPORARY, KNOWN, () -> {
            throw fault;
        }));
    }

    /** Nobody knows the hidden file whose disk is full. */
    @Test
    void faultsOfTheSystemNameTheFileThatTheUserKnows() {
        assertEquals("/x/out.gguf: No space left on device", IoFault.text(told(new FileSystemException(TEMPORARY.toString(), null,
                "No space left on device"))));
        assertEquals("/x/out.gguf: full", IoFault.text(told(new FileSystemException(TEMPORARY.resolve("inner.gguf").toString(), null, "full"))));
    }

    @Test
    void otherFilesKeepTheirNames() {
        var fault = new FileSystemException("/x/other", null, "full");
        assertSame(fault, told(fault));
    }
}
