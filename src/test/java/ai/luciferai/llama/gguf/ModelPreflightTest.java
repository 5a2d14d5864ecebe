package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the preflight lets through; what it refuses is in {@link CorruptFile}. */
class ModelPreflightTest {

    @TempDir
    Path folder;

    @Test
    void acceptsSoundModels() throws IOException {
        Path spm = folder.resolve("spm.gguf");
        Path bpe = folder.resolve("bpe.gguf");
        TinyModel.writeSpm(spm);
        TinyModel.writeBpe(bpe);
        for (Path path : List.of(spm, bpe)) {
            try (GgufFile file = GgufReader.read(path)) {
                assertDoesNotThrow(() -> ModelPreflight.check(file));
                assertDoesNotThrow(() -> ModelPreflight.checkVocabulary(file));
            }
        }
    }

    @Test
    void seesOverriddenValues() throws IOException {
        Path path = folder.resolve("spm.gguf");
        TinyModel.writeSpm(path);
        try (GgufFile file = GgufReader.read(path)) {
            Metadata overridden = file.metadata().toBuilder().uint32("llama.block_count", 0).build();
            String message = assertThrows(InvalidFileException.class, () -> ModelPreflight.check(file, overridden)).getMessage();
            assertTrue(message.startsWith(path + ": metadata key 'llama.block_count'"), message);
        }
    }

    @Test
    void rolesFollowNamesAndSuffixes() {
        assertEquals(TensorRole.VECTOR, TensorRole.of("blk.31.attn_norm.weight"));
        assertEquals(TensorRole.VECTOR, TensorRole.of("blk.0.attn_q.bias"));
        assertEquals(TensorRole.VECTOR, TensorRole.of("blk.0.ssm_a"));
        assertEquals(TensorRole.VECTOR, TensorRole.of("rope_freqs.weight"));
        assertEquals(TensorRole.MATRIX, TensorRole.of("blk.0.attn_q.weight"));
        assertEquals(TensorRole.MATRIX, TensorRole.of("blk.0.attn_q.weight.lora_a"));
        assertEquals(TensorRole.ROWS, TensorRole.of("token_embd.weight"));
        assertEquals(TensorRole.TABLE, TensorRole.of("blk.3.ffn_gate_tid2eid.weight"));
    }

    @Test
    void everyTypeForWeightsIsTakenAsAMatrix() {
        for (GgmlType type : GgmlType.values()) {
            boolean plain = List.of(GgmlType.F32, GgmlType.F16, GgmlType.BF16).contains(type);
            boolean activations = type == GgmlType.Q8_1 || type == GgmlType.Q8_K;
            assertEquals(plain || type.isQuantized() && !activations, TensorRole.MATRIX.takes(type), type.label());
        }
    }

    @Test
    void typesKnowTheirSizes() {
        assertEquals(144, GgmlType.Q4_K.bytes(256));
        assertEquals(4.5, GgmlType.Q4_K.bitsPerElement());
        assertThrows(ArithmeticException.class, () -> GgmlType.Q4_K.bytes(255));
        assertThrows(ArithmeticException.class, () -> GgmlType.F64.bytes(Long.MAX_VALUE));
        assertEquals("Q4_K - Medium", FileType.ofId(15).label());
        assertFalse(GgufType.ARRAY.isInteger());
    }
}
