package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.QuantizeOptions.Importance;
import ai.luciferai.llama.QuantizeOptions.TensorRule;
import ai.luciferai.llama.QuantizeOptions.TensorTypes;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.ffi.LlamaConstants;
import ai.luciferai.llama.gguf.GgmlType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizeTest {

    @ParameterizedTest
    @EnumSource(names = "COPY", mode = EnumSource.Mode.EXCLUDE)
    void typesHaveTheNumbersOfLlamaCpp(QuantType type) throws ReflectiveOperationException {
        String constant = type == QuantType.F32 ? "LLAMA_FTYPE_ALL_F32" : "LLAMA_FTYPE_MOSTLY_" + type;
        assertEquals(LlamaConstants.class.getField(constant).getInt(null), type.code());
        assertEquals(type, QuantType.parse(Integer.toString(type.code())));
        assertEquals(type, QuantType.parse(type.suffix()));
    }

    @Test
    void shortNamesMeanTheMediumMixture() {
        assertEquals(QuantType.Q3_K_M, QuantType.parse("Q3_K"));
        assertEquals(QuantType.Q5_K_M, QuantType.parse("q5_k"));
        assertEquals(QuantType.Q2_K, QuantType.parse("q2_k"));
        String message = assertThrows(InvalidOptionException.class, () -> QuantType.parse("Q9_K")).getMessage();
        assertTrue(message.contains("Q4_K_M") && message.contains("Q9_K"), message);
    }

    @ParameterizedTest
    @CsvSource({"model.gguf,model-q4_k_m.gguf", "dir/model-f16.gguf,dir/model-q4_k_m.gguf", "model-BF16.GGUF,model-q4_k_m.gguf",
            "m-00001-of-00003.gguf,m-q4_k_m.gguf", "tiny-llama.gguf,tiny-llama-q4_k_m.gguf", "-f16.gguf,-f16-q4_k_m.gguf"})
    void outputIsNamedAfterInputAndType(String input, String output) {
        assertEquals(Path.of(output), Quantize.defaultOutput(Path.of(input), QuantType.Q4_K_M));
    }

    @Test
    void rulesAreReadInLlamaQuantizesNotation() {
        assertEquals(new TensorRule("attn_v", GgmlType.Q6_K), TensorRule.parse("ATTN_V=q6_k"));
        for (String wrong : List.of("attn_v", "=q6_k", "attn_v=", "attn_v=q9")) {
            assertEquals("tensor-type", assertThrows(InvalidOptionException.class, () -> TensorRule.parse(wrong)).option());
        }
    }

    @Test
    void optionsThatExcludeEachOtherAreRefused() {
        assertThrows(InvalidOptionException.class, () -> new Importance(Optional.of(Path.of("i")), List.of("a"), List.of("b")));
        assertThrows(InvalidOptionException.class, () -> new Importance(Optional.empty(), List.of("a"), List.of()));
        assertThrows(InvalidOptionException.class,
                () -> new TensorTypes(Optional.of(GgmlType.Q8_0), Optional.empty(), List.of(), false, true));
    }

    @Test
    void sizesAreReadWithAnyUnit() {
        assertEquals(8L << 30, QuantizeBudget.size("for-ram", "8G"));
        assertEquals((long) (4.5 * (1L << 30)), QuantizeBudget.size("for-ram", "4.5 GiB"));
        assertEquals(700L << 20, QuantizeBudget.size("for-ram", "700m"));
        assertEquals(1234, QuantizeBudget.size("for-ram", "1234"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "G", "8X", "-1G", "8 gigs"})
    void wrongSizesAreRefused(String text) {
        assertEquals("for-ram", assertThrows(InvalidOptionException.class, () -> QuantizeBudget.size("for-ram", text)).option());
    }

    @Test
    void memoryLeavesRoomBesideTheFile() {
        assertEquals((long) ((8L << 30) / 1.2), QuantizeBudget.ram(8L << 30).fileBytes());
        assertEquals(8L << 30, QuantizeBudget.file(8L << 30).fileBytes());
    }

    @Test
    void typesThatNeedAnImportanceMatrixSaySo() {
        assertTrue(QuantType.IQ2_XS.needsImportance());
        assertFalse(QuantType.Q4_K_M.needsImportance());
    }
}
