package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.UserCache;
import java.nio.file.Files;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class EmbeddedModelTest {

    @Test
    void theDigestIsThatOfTheModel() throws Exception {
        byte[] digest = UserCache.sha256().digest(Files.readAllBytes(EmbeddedModel.path()));
        assertEquals(HexFormat.of().formatHex(digest), EmbeddedModel.SHA256);
    }
}
