package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The entries of an uncompressed zip file as slices of the mapped file. {@code java.util.zip} does not tell where the bytes of an entry
 * lie, and tensors are read in place.
 *
 * <p><i>Source</i>: PKWARE APPNOTE 6.3, sections 4.3.7, 4.3.12, 4.3.14–16, 4.5.3.
 */
final class StoredZip {

    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int MAX_ENTRIES = 1_000_000;

    private final Path file;
    private final MemorySegment data;

    private StoredZip(MappedFile mapped) {
        this.file = mapped.path();
        this.data = mapped.segment();
    }

    /** Whether the file starts like a zip file. */
    static boolean looksLike(MappedFile mapped) {
        return mapped.size() > 4 && mapped.segment().get(U32, 0) == 0x04034b50;
    }

    /** Entries by name. */
    static Map<String, MemorySegment> entries(MappedFile mapped) {
        try {
            return new StoredZip(mapped).entries();
        } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException fault) {
            throw new InvalidFileException(mapped.path(), "zip directory", "offsets inside the file", "an offset outside", null, fault);
        }
    }

    private Map<String, MemorySegment> entries() {
        long end = endRecord();
        long count = u16(end + 10);
        long at = u32(end + 16);
        if (end >= 20 && data.get(U32, end - 20) == 0x07064b50) { // zip64 end of central directory locator
            long end64 = data.get(U64, end - 12);
            require(data.get(U32, end64) == 0x06064b50, "zip64 end record", "another signature");
            count = data.get(U64, end64 + 32);
            at = data.get(U64, end64 + 48);
        }
        require(count >= 0 && count <= MAX_ENTRIES, "at most " + MAX_ENTRIES + " entries", count + " entries");
        var entries = new LinkedHashMap<String, MemorySegment>();
        for (long i = 0; i < count; i++) {
            require(data.get(U32, at) == 0x02014b50, "a central directory entry", "another signature at byte " + at);
            int nameLength = u16(at + 28);
            int extraLength = u16(at + 30);
            String name = new String(data.asSlice(at + 46, nameLength).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
            require(u16(at + 10) == 0, "stored entries", "entry '" + name + "' with compression method " + u16(at + 10));
            require((u16(at + 8) & 1) == 0, "plain entries", "entry '" + name + "', encrypted");
            var sizes = new Sizes(u32(at + 24), u32(at + 42)).widened(this, at + 46 + nameLength, extraLength);
            long local = sizes.offset;
            require(data.get(U32, local) == 0x04034b50, "a local header for '" + name + "'", "another signature at byte " + local);
            long begin = Math.addExact(local, 30 + u16(local + 26) + u16(local + 28));
            require(entries.put(name, data.asSlice(begin, sizes.size)) == null, "each name once", "'" + name + "' twice");
            at += 46 + nameLength + extraLength + u16(at + 32);
        }
        return entries;
    }

    /** Uncompressed size and local header offset, from the zip64 extra field where they do not fit. */
    private record Sizes(long size, long offset) {
        Sizes widened(StoredZip zip, long extra, int length) {
            long size64 = size;
            long offset64 = offset;
            for (long at = extra; at + 4 <= extra + length; at += 4 + zip.u16(at + 2)) {
                if (zip.u16(at) == 1) {
                    long field = at + 4;
                    if (size == 0xFFFFFFFFL) {
                        size64 = zip.data.get(U64, field);
                        field += 16; // the compressed size stands between, and does not fit either
                    }
                    if (offset == 0xFFFFFFFFL) {
                        offset64 = zip.data.get(U64, field);
                    }
                }
            }
            return new Sizes(size64, offset64);
        }
    }

    private long endRecord() {
        long size = data.byteSize();
        for (long at = size - 22; at >= Math.max(0, size - 22 - 65_535); at--) {
            if (data.get(U32, at) == 0x06054b50) {
                return at;
            }
        }
        throw new InvalidFileException(file, "end", "the end record of a zip file", "none", "the download may be incomplete");
    }

    private void require(boolean good, String expected, String got) {
        if (!good) {
            throw new InvalidFileException(file, "zip directory", expected, got);
        }
    }

    private int u16(long at) {
        return Short.toUnsignedInt(data.get(U16, at));
    }

    private long u32(long at) {
        return Integer.toUnsignedLong(data.get(U32, at));
    }
}
