package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A place in the header of a mapped file that moves forward over checked reads: nothing is read, and nothing allocated, before it
 * is known that the file still holds it. It knows what is being read ({@link #enter}), for the messages. <i>Threads</i>: one.
 *
 * <p>It reads through a byte buffer rather than the segment itself: most loads happen in a JVM that has just started, where the
 * first access to a segment costs tens of milliseconds of method handle set-up and each interpreted one a microsecond. A buffer
 * ends at 2 GiB, hundreds of times the largest header known.
 */
final class GgufCursor {

    /** Most that a byte buffer can wrap. */
    private static final int MAX_HEADER = Integer.MAX_VALUE - 8;
    private static final int WINDOW = 1 << 16;

    private final Path path;
    private final long fileBytes;
    private final ByteBuffer header;
    private String what = "header";
    private String name;
    private String part;

    GgufCursor(Path path, MemorySegment file) {
        this.path = path;
        this.fileBytes = file.byteSize();
        this.header = file.asSlice(0, Math.min(fileBytes, MAX_HEADER)).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    Path path() {
        return path;
    }

    /** Size of the whole file. */
    long fileBytes() {
        return fileBytes;
    }

    int position() {
        return header.position();
    }

    /** Bytes left, up to 2 GiB. */
    int remaining() {
        return header.remaining();
    }

    ByteOrder order() {
        return header.order();
    }

    void order(ByteOrder order) {
        header.order(order);
    }

    // --- messages ------------------------------------------------------------------------------------------------------

    /** What is read from here on: "metadata key" and its name, which may be null. Joined only when a message needs it. */
    void enter(String newWhat, String newName) {
        what = newWhat;
        name = newName;
        part = null;
    }

    /** Which part of it: "offset". */
    void part(String newPart) {
        part = newPart;
    }

    String where() {
        return what + (name == null ? "" : " '" + name + "'") + (part == null ? "" : ", " + part);
    }

    InvalidFileException bad(String expected, Object got) {
        return bad(expected, got, null);
    }

    InvalidFileException bad(String expected, Object got, String hint) {
        return new InvalidFileException(path, where(), expected, String.valueOf(got), hint);
    }

    // --- reads ---------------------------------------------------------------------------------------------------------

    /** Refuses when the file ends before {@code bytes} (unsigned) more. */
    void need(long bytes) {
        if (bytes < 0 || bytes > header.remaining()) {
            throw bad(Long.toUnsignedString(bytes) + " bytes at offset " + position(),
                    fileBytes > header.limit() ? "a header of 2 GiB" : "the end of the file after " + remaining());
        }
    }

    byte int8() {
        need(1);
        return header.get();
    }

    short int16() {
        need(2);
        return header.getShort();
    }

    int int32() {
        need(4);
        return header.getInt();
    }

    long int64() {
        need(8);
        return header.getLong();
    }

    /** A view of the next bytes. */
    ByteBuffer take(long bytes) {
        need(bytes);
        int start = position();
        header.position(start + (int) bytes);
        return since(start);
    }

    /** A view of the bytes from {@code start} to here. */
    ByteBuffer since(int start) {
        return header.slice(start, position() - start).order(header.order());
    }

    /** Moves over strings, checking that each lies within the file. */
    void skipStrings(int count) {
        byte[] window = new byte[Math.min(WINDOW, remaining())];
        int windowStart = position();
        int filled = 0;
        int at = windowStart;
        int limit = header.limit();
        boolean little = order() == ByteOrder.LITTLE_ENDIAN;
        for (int i = 0; i < count; i++) {
            if (limit - at < 8) {
                header.position(at);
                need(8);
            }
            // Lengths come out of a byte array that is refilled: the interpreter reads it ten times as fast as a buffer.
            if (at + 8 > windowStart + filled) {
                windowStart = at;
                filled = Math.min(window.length, limit - at);
                header.get(at, window, 0, filled);
            }
            long length = int64(window, at - windowStart, little);
            at += 8;
            if (length < 0 || length > limit - at) {
                header.position(at);
                need(length);
            }
            at += (int) length;
        }
        header.position(at);
    }

    private static long int64(byte[] bytes, int at, boolean little) {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = value << 8 | bytes[little ? at + 7 - i : at + i] & 0xFF;
        }
        return value;
    }

    /** A string of at most {@code maxBytes} that must be UTF-8. */
    String string(long maxBytes) {
        long length = int64();
        need(length);
        if (length > maxBytes) {
            throw bad("at most " + maxBytes + " bytes", length + " bytes");
        }
        byte[] bytes = new byte[(int) length];
        header.get(bytes);
        String text = new String(bytes, StandardCharsets.UTF_8);
        if (text.indexOf('\uFFFD') >= 0 && !isUtf8(bytes)) {
            throw bad("UTF-8 text", "bytes that are not UTF-8");
        }
        return text;
    }

    private static boolean isUtf8(byte[] bytes) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    /** A number of elements of at least {@code minBytes} each: believed only when the rest of the file can hold them. */
    int count(int minBytes, long max) {
        long count = int64();
        if (count < 0 || count > max) {
            throw bad("a count of at most " + max, Long.toUnsignedString(count));
        }
        if (count > remaining() / minBytes) {
            throw bad("a count that the remaining " + remaining() + " bytes can hold", count);
        }
        return (int) count;
    }
}
