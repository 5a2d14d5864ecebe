package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufReaderTest {

    @TempDir
    Path folder;

    /** One of each type, written piece by piece, so that reader and writer cannot be wrong together. */
    private static byte[] everyType(ByteOrder order, int version) {
        return new GgufBytes(order).head(version, 2, 16)
                .key("u8", GgufType.UINT8).u8(200)
                .key("i8", GgufType.INT8).u8(-3)
                .key("u16", GgufType.UINT16).raw(order == ByteOrder.BIG_ENDIAN ? new byte[] {(byte) 0xFF, 1} : new byte[] {1, (byte) 0xFF})
                .key("i16", GgufType.INT16).raw((byte) 0xFF, (byte) 0xFF)
                .key("u32", GgufType.UINT32).u32(-1)
                .key("i32", GgufType.INT32).u32(-1)
                .key("f32", GgufType.FLOAT32).u32(Float.floatToIntBits(1.5f))
                .key("bool", GgufType.BOOL).u8(1)
                .key("str", GgufType.STRING).text("grüße")
                .key("u64", GgufType.UINT64).u64(Long.MAX_VALUE)
                .key("i64", GgufType.INT64).u64(-7)
                .key("f64", GgufType.FLOAT64).u64(Double.doubleToLongBits(-0.25))
                .key("ints", GgufType.ARRAY).u32(GgufType.INT32.code()).u64(3).u32(1).u32(-2).u32(3)
                .key("texts", GgufType.ARRAY).u32(GgufType.STRING.code()).u64(3).text("a").text("").text("ccc")
                .key("nested", GgufType.ARRAY).u32(GgufType.ARRAY.code()).u64(2)
                .u32(GgufType.STRING.code()).u64(1).text("x").u32(GgufType.UINT8.code()).u64(2).u8(8).u8(9)
                .key("empty", GgufType.ARRAY).u32(GgufType.FLOAT32.code()).u64(0)
                .tensor("matrix", GgmlType.Q4_0.id(), 0, 64, 2)
                .tensor("scalar", GgmlType.F32.id(), 96)
                .data(32, 100).bytes();
    }

    @ParameterizedTest
    @ValueSource(strings = {"LITTLE_ENDIAN 2", "LITTLE_ENDIAN 3", "BIG_ENDIAN 2", "BIG_ENDIAN 3"})
    void readsEveryTypeInBothByteOrders(String form) throws IOException {
        ByteOrder order = form.startsWith("BIG") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        int version = form.charAt(form.length() - 1) - '0';
        try (GgufFile file = read(everyType(order, version))) {
            Metadata m = file.metadata();
            assertEquals(version, file.version());
            assertEquals(order, file.byteOrder());
            assertEquals(List.of(200L, -3L, 65281L, -1L, 4294967295L, -1L), List.of(m.integer("u8"), m.integer("i8"),
                    m.integer("u16"), m.integer("i16"), m.integer("u32"), m.integer("i32")));
            assertEquals(List.of(Long.MAX_VALUE, -7L), List.of(m.integer("u64"), m.integer("i64")));
            assertEquals(List.of(1.5, -0.25), List.of(m.number("f32"), m.number("f64")));
            assertTrue(m.bool("bool"));
            assertEquals("grüße", m.string("str"));
            assertArrayEquals(new int[] {1, -2, 3}, m.array("ints").toInts());
            assertEquals(List.of("a", "", "ccc"), m.strings("texts").strings());
            assertEquals("x", m.array("nested").array(0).string(0));
            assertEquals(List.of(8L, 9L), m.array("nested").array(1).list());
            assertEquals(0, m.array("empty").length());
        }
    }

    @Test
    void readsTheTensorTable() throws IOException {
        try (GgufFile file = read(everyType(ByteOrder.LITTLE_ENDIAN, 3))) {
            TensorInfo matrix = file.tensor("matrix").orElseThrow();
            assertEquals(List.of(64L, 2L), matrix.shape());
            assertEquals(72, matrix.bytes());
            assertEquals(72, file.data(matrix).byteSize());
            TensorInfo scalar = file.tensor("scalar").orElseThrow();
            assertEquals(1, scalar.elements());
            assertEquals(96, scalar.offset());
            assertEquals(List.of("matrix", "scalar"), file.tensors().stream().map(TensorInfo::name).toList());
        }
    }

    @Test
    void keysStayInOrder() throws IOException {
        try (GgufFile file = read(everyType(ByteOrder.LITTLE_ENDIAN, 3))) {
            assertEquals(List.of("u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "str", "u64", "i64", "f64", "ints", "texts",
                    "nested", "empty"), List.copyOf(file.metadata().keys()));
        }
    }

    @Test
    void cutOffAtAnyByteIsRefused() throws IOException {
        byte[] whole = everyType(ByteOrder.LITTLE_ENDIAN, 3);
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            InvalidFileException refusal = assertThrows(InvalidFileException.class, () -> read(part).close(), "cut off at " + length);
            assertFalse(refusal.where().isEmpty());
        }
    }

    @Test
    void cutOffAnywhereInAModelIsRefused() throws IOException {
        Path model = folder.resolve("model.gguf");
        TinyModel.writeBpe(model);
        byte[] whole = Files.readAllBytes(model);
        int last;
        try (GgufFile file = GgufReader.read(model)) {
            TensorInfo tensor = file.tensors().getLast();
            last = (int) (file.parts().getFirst().dataOffset() + tensor.offset() + tensor.bytes());
        }
        for (int length = last - 1; length >= 0; length -= 61) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThrows(InvalidFileException.class, () -> read(part).close(), "cut off at " + length);
        }
    }

    @Test
    void paddingBehindTheLastTensorMayBeMissing() throws IOException {
        byte[] whole = GgufBytes.header(3, 1, 0).tensor("x", 0, 0, 1).data(32, 4).bytes();
        read(whole).close();
    }

    @Test
    void tokensMayBePartsOfCharacters() throws IOException {
        byte[] file = GgufBytes.header(3, 0, 1).key("tokens", GgufType.ARRAY).u32(GgufType.STRING.code()).u64(1)
                .text(new byte[] {(byte) 0xE2, (byte) 0x96}).bytes();
        try (GgufFile gguf = read(file)) {
            assertArrayEquals(new byte[] {(byte) 0xE2, (byte) 0x96}, gguf.metadata().array("tokens").bytes(0));
        }
    }

    @Test
    void viewsDieWithTheFile() throws IOException {
        GgufFile file = read(everyType(ByteOrder.LITTLE_ENDIAN, 3));
        GgufArray texts = file.metadata().array("texts");
        var data = file.data(file.tensor("matrix").orElseThrow());
        file.close();
        file.close();
        assertThrows(IllegalStateException.class, () -> texts.string(0));
        assertThrows(IllegalStateException.class, () -> data.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void missingFilesAndFoldersAreRefused() {
        assertTrue(assertThrows(InvalidFileException.class, () -> GgufReader.read(folder.resolve("none.gguf"))).getMessage()
                .contains("nothing at this path"));
        assertTrue(assertThrows(InvalidFileException.class, () -> GgufReader.read(folder)).getMessage().contains("a folder"));
    }

    @Test
    void typedGettersNameTheKey() throws IOException {
        try (GgufFile file = read(everyType(ByteOrder.LITTLE_ENDIAN, 3))) {
            Metadata m = file.metadata();
            refuses("metadata key 'str': expected a whole number, got str grüße", () -> m.integer("str"));
            refuses("metadata key 'nope': expected a string, got no such key", () -> m.string("nope"));
            refuses("metadata key 'ints': expected a string, got array i32[3]", () -> m.string("ints"));
            refuses("metadata key 'ints': expected an array of strings", () -> m.strings("ints"));
            refuses("metadata key 'str': expected a boolean", () -> m.bool("str"));
            assertEquals("fallback", m.string("nope", "fallback"));
            assertEquals(200.0, m.number("u8"));
        }
    }

    @Test
    void numbersBeyondALongAreRefused() throws IOException {
        try (GgufFile file = read(GgufBytes.header(3, 0, 1).key("big", GgufType.UINT64).u64(-1).bytes())) {
            refuses("expected a number below 2^63, got 18446744073709551615", () -> file.metadata().integer("big"));
        }
    }

    private static void refuses(String message, org.junit.jupiter.api.function.Executable call) {
        String got = assertThrows(InvalidFileException.class, call).getMessage();
        assertTrue(got.contains(message), got);
    }

    // --- split files ---------------------------------------------------------------------------------------------------

    private Path part(int no, int count, int tensors, String... names) throws IOException {
        Path path = SplitName.of(folder.resolve("model"), no, count);
        var pairs = Metadata.builder().integer("split.no", GgufType.UINT16, no).integer("split.count", GgufType.UINT16, count)
                .integer("split.tensors.count", GgufType.INT32, tensors);
        Files.deleteIfExists(path);
        TinyModel.write(path, pairs.build(), Arrays.stream(names).map(name -> TensorInfo.of(name, GgmlType.F32, 3)).toList());
        return path;
    }

    @Test
    void readsAllPartsOfASplitModel() throws IOException {
        Path first = part(0, 3, 3);
        part(1, 3, 3, "a", "b");
        part(2, 3, 3, "c");
        try (GgufFile file = GgufReader.read(first)) {
            assertEquals(3, file.parts().size());
            assertEquals(List.of("a", "b", "c"), file.tensors().stream().map(TensorInfo::name).toList());
            assertEquals(2, file.tensor("c").orElseThrow().part());
            assertEquals(12, file.data(file.tensor("c").orElseThrow()).byteSize());
        }
    }

    @Test
    void splitModelsWithFaultsAreRefused() throws IOException {
        Path first = part(0, 2, 2, "a");
        refuses("part 2 of 2: expected an existing file", () -> GgufReader.read(first));
        Path second = part(1, 2, 2, "a");
        refuses("tensor 'a': expected a name that no earlier part has", () -> GgufReader.read(first));
        refuses("HINT: give the first part, " + first, () -> GgufReader.read(second));
        part(1, 2, 2, "b", "c");
        refuses("split.tensors.count': expected 3, the tensors in all parts, got 2", () -> GgufReader.read(first));
        Files.move(part(0, 2, 2, "b"), second, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        part(0, 2, 2, "a");
        refuses("split.no': expected 1, got 0", () -> GgufReader.read(first));
    }

    @Test
    void readsFilesLargerThanTwoGigabytes() throws IOException {
        Path path = folder.resolve("large.gguf");
        long elements = 800_000_000L;
        try (var channel = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            byte[] header = GgufBytes.header(3, 2, 0).tensor("big", 0, 0, elements).tensor("end", 0, elements * 4, 1).data(32, 0).bytes();
            channel.write(java.nio.ByteBuffer.wrap(header));
            // the data is a hole in the file: the disk holds a few KB
            channel.write(java.nio.ByteBuffer.wrap(new byte[] {0, 0, (byte) 0x80, 0x3F}), header.length + elements * 4);
        }
        try (GgufFile file = GgufReader.read(path)) {
            assertEquals(1f, file.data(file.tensor("end").orElseThrow()).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0));
        }
    }

    private GgufFile read(byte[] bytes) throws IOException {
        Path path = folder.resolve("file.gguf");
        Files.write(path, bytes);
        return GgufReader.read(path);
    }
}
