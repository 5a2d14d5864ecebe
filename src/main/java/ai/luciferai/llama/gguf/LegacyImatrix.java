package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Reads importance matrices of the format that llama.cpp had before GGUF, usually named {@code .dat}.
 *
 * <p><i>Source</i>: common_imatrix_load_legacy of llama.cpp v0.5.0, common/imatrix-loader.cpp. All numbers are little endian:
 * <pre>
 * int32 n_entries
 * n_entries times: int32 len, len bytes of name, int32 n_chunks, int32 n_values, n_values floats: mean of squares times n_chunks
 * int32 n_chunks, int32 len, len bytes of the text's file name: may be missing
 * </pre>
 */
final class LegacyImatrix {

    private static final byte[] GGUF = "GGUF".getBytes(StandardCharsets.US_ASCII);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final MemorySegment bytes;
    private long at;

    private LegacyImatrix(Path path, MemorySegment bytes) {
        this.path = path;
        this.bytes = bytes;
    }

    /** Fewest bytes of an entry: three numbers, a name of one letter, one value. */
    private static final int MIN_ENTRY_BYTES = 3 * Integer.BYTES + 1 + Float.BYTES;

    /** Refuses a file that begins with a number of entries that it has no room for: text and most other files do. */
    static void requireOne(Path path) throws IOException {
        try (MappedFile file = MappedFile.open(path)) {
            MemorySegment bytes = file.segment();
            long entries = bytes.byteSize() < Integer.BYTES ? 0 : bytes.get(INT, 0);
            if (entries < 1 || entries > (bytes.byteSize() - Integer.BYTES) / MIN_ENTRY_BYTES) {
                String start = new String(bytes.asSlice(0, Math.min(bytes.byteSize(), 8)).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.ISO_8859_1);
                throw new InvalidFileException(path, "file", "an importance matrix, as GGUF or in the form of before (.dat)", start.isEmpty()
                        ? "an empty file" : "one that begins with '" + start.replaceAll("[^\\x20-\\x7e]", "?") + "'", ImportanceMatrix.HOW);
            }
        }
    }

    /** Whether it is no GGUF file. */
    static boolean isLegacy(Path path) throws IOException {
        try (MappedFile file = MappedFile.open(path)) {
            return file.size() < GGUF.length || file.segment().asSlice(0, GGUF.length).mismatch(MemorySegment.ofArray(GGUF)) >= 0;
        }
    }

    static void read(Path path, ImportanceMatrix into) throws IOException {
        try (MappedFile file = MappedFile.open(path)) {
            new LegacyImatrix(path, file.segment()).read(into);
        }
    }

    private void read(ImportanceMatrix into) {
        int entries = integer("number of entries", 1);
        for (int i = 1; i <= entries; i++) {
            String name = text("name of entry " + i);
            int chunks = integer("chunks of " + name, 0);
            into.addChunks(path, name, floats(name), chunks);
        }
        if (at < bytes.byteSize()) {
            integer("number of chunks", 0);
            String dataset = at < bytes.byteSize() ? text("name of the text") : "";
            if (!dataset.isEmpty()) {
                into.addDataset(dataset);
            }
        }
    }

    private int integer(String what, int least) {
        require(what, Integer.BYTES);
        int value = bytes.get(INT, at);
        at += Integer.BYTES;
        if (value < least) {
            throw bad(what, "at least " + least, Integer.toString(value));
        }
        return value;
    }

    private String text(String what) {
        int length = integer("length of the " + what, 0);
        require(what, length);
        var text = new String(bytes.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        at += length;
        return text;
    }

    private float[] floats(String name) {
        int n = integer("number of values of " + name, 1);
        require("values of " + name, (long) Float.BYTES * n);
        float[] values = bytes.asSlice(at, (long) Float.BYTES * n).toArray(FLOAT);
        at += (long) Float.BYTES * n;
        return values;
    }

    private void require(String what, long length) {
        if (length > bytes.byteSize() - at) {
            throw bad(what, length + " bytes at " + at, "the end of the file after " + (bytes.byteSize() - at));
        }
    }

    private InvalidFileException bad(String what, String expected, String got) {
        return new InvalidFileException(path, "importance matrix, " + what, expected, got);
    }
}
