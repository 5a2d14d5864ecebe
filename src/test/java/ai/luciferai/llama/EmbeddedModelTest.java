package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Sha256;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

class EmbeddedModelTest {

    @Test
    void theDigestIsThatOfTheModel() throws Exception {
        assertEquals(Sha256.hex(Files.readAllBytes(EmbeddedModel.path())), EmbeddedModel.SHA256);
    }
}
