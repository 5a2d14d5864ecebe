package ai.luciferai.llama.convert;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that are no numbers of a model: packed ones are refused by name, those that are not finite are said. */
class WeightsTest extends ChangedCheckpoint {

    private static final String NAME = "model.layers.0.mlp.up_proj.weight";

    /** The same checkpoint with one tensor of another type; its bytes are zeros but for the first. */
    private Path retyped(String type, int bytes, byte[] first) throws IOException {
        Path at = checkpoint("qwen2", asItIs(), asItIs());
        Path file = at.resolve("model.safetensors");
        ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int length = (int) all.getLong(0);
        var header = (Map<?, ?>) JsonObject.parse(file, new java.io.ByteArrayInputStream(all.array(), 8, length));
        var text = new StringBuilder("{");
        var data = new java.io.ByteArrayOutputStream();
        for (var entry : header.entrySet()) {
            var row = (Map<?, ?>) entry.getValue();
            var offsets = (java.util.List<?>) row.get("data_offsets");
            var shape = (java.util.List<?>) row.get("shape");
            boolean changed = entry.getKey().equals(NAME);
            int from = (int) (long) (Long) offsets.get(0);
            int size = (int) (long) (Long) offsets.get(1) - from;
            byte[] values = java.util.Arrays.copyOfRange(all.array(), 8 + length + from, 8 + length + from + size);
            if (changed) {
                values = new byte[shape.stream().mapToInt(n -> (int) (long) (Long) n).reduce(bytes, (a, b) -> a * b)];
                System.arraycopy(first, 0, values, 0, first.length);
            }
            text.append(text.length() == 1 ? "" : ",").append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}".formatted(entry.getKey(),
                    changed ? type : row.get("dtype"), shape, data.size(), data.size() + values.length));
            data.writeBytes(values);
        }
        byte[] head = text.append("}").toString().getBytes(java.nio.charset.StandardCharsets.UTF_8);
        Files.write(file, ByteBuffer.allocate(8 + head.length + data.size()).order(ByteOrder.LITTLE_ENDIAN).putLong(head.length).put(head)
                .put(data.toByteArray()).array());
        return at;
    }

    @ParameterizedTest
    @CsvSource({"I8, 1", "U8, 1", "I16, 2", "I32, 4", "I64, 8", "BOOL, 1"})
    void wholeNumbersWithoutScalesAreNoWeights(String type, int bytes) throws IOException {
        Path input = retyped(type, bytes, new byte[0]);
        BridgeException fault = assertThrows(UnsupportedModelException.class, () -> convert(input));
        assertTrue(fault.getMessage().contains(NAME) && fault.getMessage().contains(type + " without scales"), fault.getMessage());
    }

    /** Each type of the output, with one odd number at each place of a long, and at the end. */
    @ParameterizedTest
    @ValueSource(strings = {"F32", "F16", "BF16", "Q8_0"})
    void saysWhichWeightsAreNotFinite(String name) throws IOException {
        OutputType type = OutputType.valueOf(name);
        for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            for (int place : new int[] {0, 1, 2, 3, 4, 33}) {
                byte[] first = ByteBuffer.allocate(4 * place + 4).order(ByteOrder.LITTLE_ENDIAN).putFloat(4 * place, odd).array();
                try (var said = new Said(NotFinite.class)) {
                    Path input = retyped("F32", 4, first);
                    Fixtures.convert(input, folder.resolve("out.gguf"), type);
                    assertEquals(1, said.texts().size(), name + " " + odd + " at " + place);
                    assertTrue(said.texts().getFirst().contains("in blk.0.ffn_up.weight (1):"), said.texts()::toString);
                }
            }
        }
    }

    @Test
    void saysWhatTheTypeOfTheOutputCannotHold() throws IOException {
        byte[] first = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(70000).array();
        Path input = retyped("F32", 4, first);
        try (var said = new Said(NotFinite.class)) {
            Fixtures.convert(input, folder.resolve("out.gguf"), OutputType.BF16);
            assertEquals(java.util.List.of(), said.texts());
            Fixtures.convert(input, folder.resolve("out.gguf"), OutputType.F16);
            assertEquals(1, said.texts().size());
            assertTrue(said.texts().getFirst().contains("too large") && said.texts().getFirst().contains("blk.0.ffn_up.weight"), said.texts()::toString);
        }
    }
}
