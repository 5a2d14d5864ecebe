package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import ai.luciferai.llama.ffi.GgmlTypes;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The table of tensor types against ggml's own, so that a new version cannot bring a type that is passed over. */
class GgmlTypeIT {

    private static final int MORE_IDS_THAN_TYPES = 128;

    @Test
    void tableIsThatOfGgml() {
        for (int id = -1; id < MORE_IDS_THAN_TYPES; id++) {
            Optional<GgmlTypes.Description> known = GgmlTypes.describe(id).filter(type -> type.blockElements() > 0);
            GgmlType type = GgmlType.ofId(id);
            if (known.isEmpty()) {
                assertNull(type, "id " + id);
            } else {
                assertEquals(known.get(), new GgmlTypes.Description(type.id(), type.label(), type.blockElements(), type.blockBytes()));
            }
        }
    }
}
