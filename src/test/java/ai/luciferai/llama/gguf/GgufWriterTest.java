package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {

    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsRead() throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        for (int i = 0; i < 60; i++) {
            try {
                writeAndRead(new Random(seed + i));
            } catch (AssertionError | RuntimeException fault) {
                throw new AssertionError("with -Dseed=" + (seed + i), fault);
            }
        }
    }

    private void writeAndRead(Random random) throws IOException {
        Metadata metadata = randomMetadata(random);
        List<TensorInfo> tensors = randomTensors(random);
        Map<String, byte[]> data = new HashMap<>();
        Path path = folder.resolve("random.gguf");
        Files.deleteIfExists(path);
        try (FileChannel channel = open(path)) {
            var writer = new GgufWriter(channel, metadata, tensors);
            var shuffled = new ArrayList<>(writer.tensors());
            java.util.Collections.shuffle(shuffled, random);
            for (TensorInfo tensor : shuffled) {
                byte[] bytes = new byte[(int) tensor.bytes()];
                random.nextBytes(bytes);
                data.put(tensor.name(), bytes);
                int half = bytes.length / 2;
                writer.write(tensor.name(), half, MemorySegment.ofArray(bytes).asSlice(half));
                writer.write(tensor.name(), 0, MemorySegment.ofArray(bytes).asSlice(0, half));
            }
            writer.finish();
            assertEquals(writer.fileBytes(), channel.size());
        }
        try (GgufFile file = GgufReader.read(path)) {
            assertEquals(metadata, file.metadata());
            assertEquals(names(tensors), names(file.tensors()));
            for (TensorInfo tensor : file.tensors()) {
                assertArrayEquals(data.get(tensor.name()), file.data(tensor).toArray(ValueLayout.JAVA_BYTE), tensor.name());
            }
        }
    }

    private static List<String> names(List<TensorInfo> tensors) {
        return tensors.stream().map(tensor -> tensor.name() + tensor.type() + tensor.shape()).toList();
    }

    private static Metadata randomMetadata(Random random) {
        var pairs = Metadata.builder();
        if (random.nextBoolean()) {
            pairs.uint32(Metadata.ALIGNMENT, 1L << random.nextInt(9));
        }
        for (int i = 0, n = random.nextInt(20); i < n; i++) {
            String key = "key." + i;
            switch (random.nextInt(12)) {
                case 0 -> pairs.string(key, "text ü\n" + random.nextInt());
                case 1 -> pairs.bool(key, random.nextBoolean());
                case 2 -> pairs.float32(key, random.nextFloat());
                case 3 -> pairs.float64(key, random.nextGaussian());
                case 4 -> pairs.integer(key, GgufType.INT8, (byte) random.nextInt());
                case 5 -> pairs.integer(key, GgufType.UINT16, random.nextInt(65536));
                case 6 -> pairs.integer(key, GgufType.UINT64, random.nextLong());
                case 7 -> pairs.array(key, GgufArray.ofStrings(List.of("", "b", "x".repeat(random.nextInt(50)))));
                case 8 -> pairs.array(key, GgufArray.ofFloat32(1, 2, random.nextFloat()));
                case 9 -> pairs.array(key, GgufArray.ofIntegers(GgufType.INT16, -1, random.nextInt(100)));
                case 10 -> pairs.array(key, GgufArray.ofArrays(List.of(GgufArray.ofBools(true), GgufArray.ofFloat64(0.5))));
                default -> pairs.uint32(key, random.nextInt(Integer.MAX_VALUE));
            }
        }
        return pairs.build();
    }

    private static List<TensorInfo> randomTensors(Random random) {
        var tensors = new ArrayList<TensorInfo>();
        for (int i = 0, n = random.nextInt(8); i < n; i++) {
            GgmlType type = GgmlType.values()[random.nextInt(GgmlType.values().length)];
            long[] shape = new long[1 + random.nextInt(4)];
            java.util.Arrays.setAll(shape, j -> (long) (1 + random.nextInt(3)) * (j == 0 ? type.blockElements() : 1));
            tensors.add(TensorInfo.of("tensor." + i, type, shape));
        }
        return tensors;
    }

    @Test
    void equalInputGivesEqualBytes() throws IOException {
        TinyModel.writeSpm(folder.resolve("a.gguf"));
        TinyModel.writeSpm(folder.resolve("b.gguf"));
        assertEquals(-1, Files.mismatch(folder.resolve("a.gguf"), folder.resolve("b.gguf")));
    }

    @Test
    void bigEndianFilesAreWrittenLittleEndian() throws IOException {
        byte[] big = new GgufBytes(java.nio.ByteOrder.BIG_ENDIAN).head(3, 0, 3)
                .key("n", GgufType.UINT32).u32(7)
                .key("texts", GgufType.ARRAY).u32(GgufType.STRING.code()).u64(2).text("a").text("bc")
                .key("ints", GgufType.ARRAY).u32(GgufType.INT32.code()).u64(2).u32(1).u32(-2).bytes();
        Path path = Files.write(folder.resolve("big.gguf"), big);
        Path copy = folder.resolve("little.gguf");
        try (GgufFile file = GgufReader.read(path); FileChannel channel = open(copy)) {
            new GgufWriter(channel, file.metadata(), List.of()).finish();
            try (GgufFile little = GgufReader.read(copy)) {
                assertEquals(java.nio.ByteOrder.LITTLE_ENDIAN, little.byteOrder());
                assertEquals(file.metadata(), little.metadata());
            }
        }
    }

    @Test
    void refusesTablesThatNoReaderAccepts() throws IOException {
        try (FileChannel channel = open(folder.resolve("bad.gguf"))) {
            Metadata none = Metadata.builder().build();
            for (TensorInfo bad : List.of(TensorInfo.of("x".repeat(64), GgmlType.F32, 1), TensorInfo.of("a\0", GgmlType.F32, 1),
                    TensorInfo.of("x", GgmlType.Q4_0, 33), TensorInfo.of("x", GgmlType.F32, 1, 1, 1, 1, 1),
                    TensorInfo.of("x", GgmlType.F32, -1))) {
                assertThrows(IllegalArgumentException.class, () -> new GgufWriter(channel, none, List.of(bad)), bad.name());
            }
            TensorInfo x = TensorInfo.of("x", GgmlType.F32, 1);
            assertThrows(IllegalArgumentException.class, () -> new GgufWriter(channel, none, List.of(x, x)));
            assertThrows(IllegalArgumentException.class, () -> Metadata.builder().uint32("k", -1));
            assertThrows(IllegalArgumentException.class, () -> Metadata.builder().integer("k", GgufType.INT8, 128));
            assertThrows(IllegalArgumentException.class, () -> Metadata.builder().string("", ""));
        }
    }

    @Test
    void refusesToFinishWithoutAllData() throws IOException {
        try (FileChannel channel = open(folder.resolve("part.gguf"))) {
            var writer = new GgufWriter(channel, Metadata.builder().build(), List.of(TensorInfo.of("x", GgmlType.F32, 4)));
            writer.write("x", 0, MemorySegment.ofArray(new byte[12]));
            assertThrows(IllegalStateException.class, writer::finish);
            assertThrows(IllegalArgumentException.class, () -> writer.write("x", 12, MemorySegment.ofArray(new byte[5])));
            assertThrows(IllegalArgumentException.class, () -> writer.write("y", 0, MemorySegment.ofArray(new byte[1])));
        }
    }

    private static FileChannel open(Path path) throws IOException {
        return FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }
}
