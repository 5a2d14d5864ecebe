package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.InvalidOptionException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Text over the border, in both directions. */
final class NativeText {

    private NativeText() {}

    /** A C function's last three parameters: where text goes, how much fits, how long it is. */
    @FunctionalInterface
    interface Source {
        int write(MemorySegment buffer, long capacity, MemorySegment length);
    }

    /** What a C function writes, asked again with enough room when the guess was too small. */
    static byte[] bytes(String function, int guess, Status.About about, Source source) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment length = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment buffer = arena.allocate(guess);
            int status = source.write(buffer, guess, length);
            if (status == Status.BUFFER_TOO_SMALL) {
                buffer = arena.allocate(length.get(ValueLayout.JAVA_LONG, 0));
                status = source.write(buffer, buffer.byteSize(), length);
            }
            Status.check(status, function, about);
            return buffer.asSlice(0, length.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** {@link #bytes} as text. */
    static String string(String function, int guess, Status.About about, Source source) {
        return new String(bytes(function, guess, about, source), StandardCharsets.UTF_8);
    }

    /** The NUL-terminated text that C points to. */
    static String of(MemorySegment pointer) {
        return pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }

    /** The text before the first NUL of a fixed array inside a struct. */
    static String fixed(MemorySegment array) {
        return array.getString(0);
    }

    /**
     * NUL-terminated text for C, or the null pointer for null.
     *
     * @throws InvalidOptionException when the text holds a NUL, behind which C would not see it
     */
    static MemorySegment in(SegmentAllocator arena, String what, String text) {
        if (text == null) {
            return MemorySegment.NULL;
        }
        if (text.indexOf('\0') >= 0) {
            throw new InvalidOptionException(what, "text without NUL characters", "a NUL at position " + text.indexOf('\0'));
        }
        return arena.allocateFrom(text);
    }

    /** An array of texts for C, or the null pointer for null or none. */
    static MemorySegment in(SegmentAllocator arena, String what, List<String> texts) {
        if (texts == null || texts.isEmpty()) {
            return MemorySegment.NULL;
        }
        MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, texts.size());
        for (int i = 0; i < texts.size(); i++) {
            pointers.setAtIndex(ValueLayout.ADDRESS, i, in(arena, what, texts.get(i)));
        }
        return pointers;
    }
}
