package ai.luciferai.llama.core;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file mapped read-only as a whole, however large; pages are read when they are touched.
 *
 * <p><i>Ownership</i>: owns the arena. Every segment given out and every slice of it shares its scope and dies with {@link #close}:
 * a later access throws {@link IllegalStateException}, it never reads freed memory. Only whoever opened it closes it.
 *
 * <p><i>Threads</i>: any, because the arena is shared.
 */
public final class MappedFile implements AutoCloseable {

    private final Path path;
    private final Arena arena;
    private final MemorySegment segment;
    private final FileChannel channel;

    private MappedFile(Path path, Arena arena, MemorySegment segment, FileChannel channel) {
        this.path = path;
        this.arena = arena;
        this.segment = segment;
        this.channel = channel;
    }

    /**
     * Maps a file. An empty file gives an empty segment.
     *
     * @throws InvalidFileException when there is no such file, or it is a folder or may not be read
     * @throws IOException          when the operating system cannot map it
     */
    public static MappedFile open(Path path) throws IOException {
        requireReadable(path);
        Arena arena = Arena.ofShared();
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new MappedFile(path, arena, channel.map(MapMode.READ_ONLY, 0, channel.size(), arena), channel);
        } catch (Throwable fault) {
            channel.close();
            arena.close();
            throw fault;
        }
    }

    /** @throws InvalidFileException unless the path is a regular file that may be read */
    public static void requireReadable(Path path) {
        if (!Files.exists(path)) {
            throw new InvalidFileException(path, "file", "an existing file", "nothing at this path");
        }
        if (!Files.isRegularFile(path)) {
            throw new InvalidFileException(path, "file", "a regular file", Files.isDirectory(path) ? "a folder" : "a special file");
        }
        if (!Files.isReadable(path)) {
            throw new InvalidFileException(path, "file", "a file that may be read", "no permission to read it");
        }
    }

    /** The path as it was given. */
    public Path path() {
        return path;
    }

    /** Length in bytes. */
    public long size() {
        return segment.byteSize();
    }

    /**
     * The whole file.
     *
     * @throws ClosedException after {@link #close}
     */
    public MemorySegment segment() {
        if (!arena.scope().isAlive()) {
            throw new ClosedException("mapped file " + path);
        }
        return segment;
    }

    /** Whether a segment is a part of this file. */
    public boolean holds(MemorySegment view) {
        long at = view.address() - segment.address();
        return view.isNative() && at >= 0 && at <= size() - view.byteSize();
    }

    /**
     * Copies a part of this file by reading it. For what is needed once: copying out of the mapping would first have to map every page.
     *
     * @param view a slice of {@link #segment}
     * @param into native memory for its bytes
     */
    public void read(MemorySegment view, MemorySegment into) throws IOException {
        long at = view.address() - segment().address();
        ByteBuffer buffer = into.asSlice(0, view.byteSize()).asByteBuffer();
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, at + buffer.position()) < 0) {
                throw new InvalidFileException(path, "end", size() + " bytes, as there were when it was opened", "fewer");
            }
        }
    }

    /**
     * Unmaps the file; a second call does nothing.
     *
     * @throws BusyException when a native call is using it at this moment
     */
    @Override
    public synchronized void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        try {
            arena.close();
        } catch (IllegalStateException inUse) {
            throw new BusyException("mapped file " + path, "a native call");
        }
        try {
            channel.close();
        } catch (IOException ignored) {
            // it was only read
        }
    }
}
