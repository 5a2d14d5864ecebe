package ai.luciferai.llama.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class ImportanceMatrixTest {

    @TempDir
    Path folder;

    private Path write(String name, ImportanceMatrix matrix, String text) throws IOException {
        Path path = folder.resolve(name);
        try (AtomicFile out = AtomicFile.create(path, true, List.of())) {
            matrix.write(out, text);
            out.commit();
        }
        return path;
    }

    private static ImportanceMatrix sample() {
        var matrix = new ImportanceMatrix(4);
        matrix.put("blk.0.ffn_up.weight", new ImportanceMatrix.Entry(new float[] {1, 2, 3}, new long[] {8}));
        matrix.put("blk.0.ffn_down_exps.weight", new ImportanceMatrix.Entry(new float[] {1, 2, 3, 4}, new long[] {12, 0}));
        return matrix;
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        ImportanceMatrix read = ImportanceMatrix.read(write("a.gguf", sample(), "text.txt"), 4);
        assertEquals(List.of("blk.0.ffn_down_exps.weight", "blk.0.ffn_up.weight"), List.copyOf(read.entries().keySet()));
        assertArrayEquals(new float[] {1, 2, 3, 4}, read.entries().get("blk.0.ffn_down_exps.weight").sums());
        assertArrayEquals(new long[] {12, 0}, read.entries().get("blk.0.ffn_down_exps.weight").counts());
        assertEquals(List.of("text.txt"), read.datasets());
        assertEquals(3, read.chunks());
        assertEquals(1, read.entries().get("blk.0.ffn_down_exps.weight").unused());
    }

    @Test
    void filesAddUp() throws IOException {
        Path file = write("a.gguf", sample(), "a.txt");
        ImportanceMatrix twice = ImportanceMatrix.read(file, 4);
        twice.add(file);
        assertArrayEquals(new float[] {2, 4, 6}, twice.entries().get("blk.0.ffn_up.weight").sums());
        assertArrayEquals(new long[] {16}, twice.entries().get("blk.0.ffn_up.weight").counts());
        assertEquals(List.of("a.txt", "a.txt"), twice.datasets());
    }

    @Test
    void oneCountServesAllExpertsOfANewerFile() throws IOException {
        var old = new ImportanceMatrix(4);
        old.put("blk.0.ffn_down_exps.weight", new ImportanceMatrix.Entry(new float[] {1, 1, 1, 1}, new long[] {4}));
        ImportanceMatrix both = ImportanceMatrix.read(write("old.gguf", old, null), 4);
        both.add(write("new.gguf", sample(), null));
        assertArrayEquals(new long[] {16, 4}, both.entries().get("blk.0.ffn_down_exps.weight").counts());
    }

    @Test
    void refusesAnotherModelsFile() throws IOException {
        ImportanceMatrix matrix = ImportanceMatrix.read(write("a.gguf", sample(), null), 4);
        var other = new ImportanceMatrix(4);
        other.put("blk.0.ffn_up.weight", new ImportanceMatrix.Entry(new float[] {1, 2}, new long[] {8}));
        Path file = write("b.gguf", other, null);
        assertTrue(assertThrows(InvalidFileException.class, () -> matrix.add(file)).getMessage().contains("blk.0.ffn_up.weight"));
    }

    @Test
    void refusesNumbersThatAreNone() throws IOException {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, -1}) {
            var matrix = new ImportanceMatrix(4);
            matrix.put("blk.0.ffn_up.weight", new ImportanceMatrix.Entry(new float[] {1, bad}, new long[] {8}));
            Path file = write("bad.gguf", matrix, null);
            assertThrows(InvalidFileException.class, () -> ImportanceMatrix.read(file, 4));
        }
    }

    @Test
    void refusesSumsWithoutCountsAndOtherTensors() throws IOException {
        for (String name : List.of("blk.0.ffn_up.weight.in_sum2", "blk.0.ffn_up.weight.counts", "blk.0.ffn_up.weight")) {
            Path file = folder.resolve("one.gguf");
            try (AtomicFile out = AtomicFile.create(file, true, List.of())) {
                var writer = new GgufWriter(out.channel(), Metadata.builder().string("general.type", "imatrix").build(),
                        List.of(TensorInfo.of(name, GgmlType.F32, 1)));
                writer.write(name, 0, java.lang.foreign.MemorySegment.ofArray(new byte[4]));
                writer.finish();
                out.commit();
            }
            assertThrows(InvalidFileException.class, () -> ImportanceMatrix.read(file, 4), name);
        }
    }

    /** What is given in its place is said: the file, and what it is. */
    @Test
    void somethingElseIsSaidToBeThat() throws IOException {
        Path model = folder.resolve("model.gguf");
        try (AtomicFile out = AtomicFile.create(model, true, List.of())) {
            new GgufWriter(out.channel(), Metadata.builder().string("general.architecture", "llama").build(), List.of()).finish();
            out.commit();
        }
        refused(model, "expected an importance matrix, got a GGUF file of type model");
        refused(Files.writeString(folder.resolve("text.dat"), "ls -la in the folder\n"), "got one that begins with 'ls -la i'");
        refused(Files.write(folder.resolve("zip.dat"), new byte[] {'P', 'K', 3, 4, 20, 0, 0, 0}), "got one that begins with 'PK??????'");
        refused(Files.write(folder.resolve("empty"), new byte[0]), "got an empty file");
        ImportanceMatrix.requireOne(write("good.gguf", sample(), null));
        ImportanceMatrix.requireOne(Files.write(folder.resolve("good.dat"), legacy()));
    }

    private static void refused(Path file, String message) {
        for (Executable use : List.<Executable>of(() -> ImportanceMatrix.requireOne(file), () -> ImportanceMatrix.read(file, 4))) {
            var e = assertThrows(InvalidFileException.class, use);
            assertTrue(e.getMessage().startsWith(file + ": file: expected an importance matrix") && e.getMessage().contains(message), e.getMessage());
            assertTrue(e.hint().contains("lucifer-llama imatrix"), e.hint());
        }
    }

    // --- the older format ----------------------------------------------------------------------------------------------

    private static byte[] legacy() {
        ByteBuffer b = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        b.putInt(1);
        text(b, "blk.0.ffn_up.weight").putInt(2).putInt(3).putFloat(1).putFloat(2).putFloat(3);
        text(b.putInt(2), "old.txt");
        return Arrays.copyOf(b.array(), b.position());
    }

    private static ByteBuffer text(ByteBuffer b, String text) {
        return b.putInt(text.length()).put(text.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void readsTheOlderFormat() throws IOException {
        ImportanceMatrix matrix = ImportanceMatrix.read(Files.write(folder.resolve("old.dat"), legacy()), 4);
        assertArrayEquals(new float[] {4, 8, 12}, matrix.entries().get("blk.0.ffn_up.weight").sums());
        assertArrayEquals(new long[] {8}, matrix.entries().get("blk.0.ffn_up.weight").counts());
        assertEquals(List.of("old.txt"), matrix.datasets());
        assertEquals(2, matrix.chunks());
    }

    @Test
    void whatIsBehindTheEntriesMayBeMissing() throws IOException {
        byte[] all = legacy();
        ImportanceMatrix matrix = ImportanceMatrix.read(Files.write(folder.resolve("old.dat"), Arrays.copyOf(all, all.length - 15)), 4);
        assertEquals(List.of(), matrix.datasets());
    }

    @Test
    void cutAnywhereIsATypedError() throws IOException {
        byte[] old = legacy();
        byte[] gguf = Files.readAllBytes(write("whole.gguf", sample(), "text.txt"));
        for (byte[] bytes : List.of(old, gguf)) {
            for (int length = 0; length < bytes.length; length++) {
                Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(bytes, length));
                try {
                    ImportanceMatrix.read(cut, 4);
                } catch (BridgeException expected) {
                    assertTrue(expected instanceof InvalidFileException, expected.toString());
                }
            }
        }
    }

    @Test
    void sizesThatNoFileCanHoldAreRefusedBeforeTheyAreAllocated() throws IOException {
        for (int at : new int[] {0, 4, 27, 31}) { // entries, length of the name, chunks, values
            for (int value : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
                byte[] bytes = legacy();
                ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
                Path file = Files.write(folder.resolve("huge.dat"), bytes);
                if (at != 27 || value < 0) {
                    assertThrows(InvalidFileException.class, () -> ImportanceMatrix.read(file, 4), at + ": " + value);
                }
            }
        }
    }
}
