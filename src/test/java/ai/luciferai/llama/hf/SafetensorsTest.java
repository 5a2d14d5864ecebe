package ai.luciferai.llama.hf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Good headers are read, each kind of bad one is named. */
class SafetensorsTest {

    @TempDir
    Path folder;

    private Path file(String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(text.length).put(text);
        return Files.write(folder.resolve("model.safetensors"), bytes.array());
    }

    private List<StoredTensor> read(Path file) throws IOException {
        try (MappedFile mapped = MappedFile.open(file)) {
            return Safetensors.read(mapped);
        }
    }

    @Test
    void sortsByName() throws IOException {
        List<StoredTensor> tensors = read(file("""
                {"__metadata__": {"format": "pt"}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                 "a": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]}}""", 10));
        assertEquals(List.of("a", "b"), tensors.stream().map(StoredTensor::name).toList());
        assertEquals(1, tensors.getFirst().count());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "overlap | {\"a\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [0, 4]}, \"b\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [2, 6]}} | an overlap",
        "hole | {\"a\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [2, 6]}} | a hole",
        "rest | {\"a\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [0, 4]}} | 6 bytes",
        "beyond | {\"a\": {\"dtype\": \"U8\", \"shape\": [7], \"data_offsets\": [0, 7]}} | within 6 bytes",
        "size | {\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 6]}} | 8 bytes for shape",
        "overflow | {\"a\": {\"dtype\": \"F32\", \"shape\": [4611686018427387904, 8], \"data_offsets\": [0, 6]}} | 2^63",
        "negative | {\"a\": {\"dtype\": \"U8\", \"shape\": [-6], \"data_offsets\": [0, 6]}} | whole numbers from 0",
        "dtype | {\"a\": {\"dtype\": \"F4\", \"shape\": [6], \"data_offsets\": [0, 6]}} | F4",
        "json | {\"a\": | JSON",
        "list | [1, 2] | a JSON object"})
    void namesWhatIsWrong(String what, String header, String message) throws IOException {
        Path file = file(header, 6);
        var fault = assertThrows(InvalidFileException.class, () -> read(file));
        assertTrue(fault.getMessage().contains(message), () -> what + ": " + fault.getMessage());
    }

    @Test
    void refusesAHeaderLongerThanTheFile() throws IOException {
        Path file = Files.write(folder.resolve("x.safetensors"), new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
        assertThrows(InvalidFileException.class, () -> read(file));
        Path tiny = Files.write(folder.resolve("y.safetensors"), new byte[3]);
        assertThrows(InvalidFileException.class, () -> read(tiny));
    }
}
