package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every damaged file of the catalogue is refused at its step, with its exception and message. */
class CorruptFileTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void isRefused(CorruptFile corrupt) throws IOException {
        Path path = corrupt.write(folder);
        if (corrupt.readable()) {
            try (GgufFile file = GgufReader.read(path)) {
                requireRefusal(corrupt, path, assertThrows(BridgeException.class, () -> ModelPreflight.check(file)));
            }
        } else {
            requireRefusal(corrupt, path, assertThrows(BridgeException.class, () -> GgufReader.read(path)));
        }
    }

    private static void requireRefusal(CorruptFile corrupt, Path path, BridgeException refusal) {
        assertEquals(corrupt.exception(), refusal.getClass(), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(corrupt.message()),
                () -> "expected: " + corrupt.message() + "\ngot: " + refusal.getMessage());
        assertTrue(refusal.getMessage().contains(path.toString()), () -> "the file is not named: " + refusal.getMessage());
    }
}
