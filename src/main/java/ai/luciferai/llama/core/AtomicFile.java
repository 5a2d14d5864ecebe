package ai.luciferai.llama.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;

/**
 * An output file that exists whole or not at all: written as a temporary file in the same folder, renamed by {@link #commit}.
 * <pre>{@code
 * try (var out = AtomicFile.create(target, force, List.of(input))) {
 *     write(out.channel());            // or let native code write to out.temporary()
 *     out.commit(cancel);
 * }                                    // not committed (exception, cancel): the temporary file is deleted
 * }</pre>
 *
 * <p>The rename is why an old file that somebody has mapped is never truncated under them. <i>Threads</i>: one.
 */
public final class AtomicFile implements AutoCloseable {

    private final Path target;
    private final Path temporary;
    private final boolean force;
    private FileChannel channel;
    private boolean committed;

    private AtomicFile(Path target, Path temporary, boolean force) {
        this.target = target;
        this.temporary = temporary;
        this.force = force;
    }

    /**
     * Opens a new output.
     *
     * @param target where the file shall appear; through a symbolic link, the file it points to
     * @param force  whether an existing file may be replaced
     * @param inputs files that the work reads: none of them may be the target, not even with force
     * @throws InvalidOptionException when the target cannot be used
     * @throws IOException            when the temporary file cannot be made
     */
    public static AtomicFile create(Path target, boolean force, List<Path> inputs) throws IOException {
        requireAllowed(target, force, inputs);
        Path real = Files.exists(target) ? target.toRealPath() : target.toAbsolutePath();
        var file = new AtomicFile(real, Partial.beside(real), force);
        // Not Files.createTempFile: its file would be readable by the owner only, and so would be the result.
        try {
            file.channel = new NamedChannel(target, FileChannel.open(file.temporary,
                    StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE));
        } catch (FileSystemException e) {
            throw Partial.notMade(target, e);
        }
        return file;
    }

    /**
     * The checks of {@link #create}, for failing before hours of work.
     *
     * @throws InvalidOptionException when the target cannot be used
     * @throws IOException            when no file can be made beside it
     */
    public static void requireUsable(Path target, boolean force, List<Path> inputs) throws IOException {
        create(target, force, inputs).close(); // permissions alone do not say it: a full disk, a quota, a folder that is no real one
    }

    private static void requireAllowed(Path target, boolean force, List<Path> inputs) throws IOException {
        Path folder = target.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new InvalidOptionException("output", "a path in an existing folder", target, "make the folder first");
        }
        for (Path input : inputs) {
            if (Files.exists(target) && Files.exists(input) && Files.isSameFile(target, input)) {
                throw new InvalidOptionException("output", "another file than the input " + input, target);
            }
        }
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new InvalidOptionException("output", "a path for a regular file",
                    target + (Files.isDirectory(target) ? ", a folder" : ", a special file"));
        }
        requireName(target);
        requireFree(target, force);
    }

    /** A name that the system takes for no file is refused now: the temporary file has another, and would show it after the work. */
    private static void requireName(Path target) throws IOException {
        try {
            Files.readAttributes(target, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException | AccessDeniedException e) {
            // free, or told by the temporary file
        } catch (FileSystemException e) {
            throw new InvalidOptionException("output", "a name that a file can have", target + ": " + IoFault.reason(e));
        }
    }

    private static void requireFree(Path target, boolean force) {
        if (!force && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new InvalidOptionException("output", "a file that does not exist yet",
                    target + (Files.exists(target) ? "" : ", a link that leads nowhere"), "--force replaces it");
        }
    }

    /** Where the file will appear. */
    public Path target() {
        return target;
    }

    /** The temporary file, for native code that writes by path. */
    public Path temporary() {
        return temporary;
    }

    /** The temporary file, open for reading and writing at its start. Closed by this object. */
    public FileChannel channel() {
        return channel;
    }

    /** Writes all of the bytes at the channel's position. */
    public void write(byte[] bytes) throws IOException {
        for (ByteBuffer rest = ByteBuffer.wrap(bytes); rest.hasRemaining(); ) {
            channel.write(rest);
        }
    }

    /**
     * Makes the file appear under its name, on disk and complete.
     *
     * @throws CancelledException     when the flag is set; {@link #close} will delete what was written
     * @throws InvalidOptionException when the target has come into being meanwhile and may not be replaced
     */
    public void commit(Cancel cancel) throws IOException {
        cancel.check("writing " + target);
        channel.force(true);
        appear();
    }

    /**
     * {@link #commit(Cancel)} that does not wait for the disk, as copying a file does not: for large files that can be made again should the
     * machine lose power in the next seconds.
     */
    public void commitUnsynced(Cancel cancel) throws IOException {
        cancel.check("writing " + target);
        appear();
    }

    private void appear() throws IOException {
        channel.close();
        requireFree(target, force);
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
        committed = true;
    }

    /** {@link #commit(Cancel)} that cannot be cancelled. */
    public void commit() throws IOException {
        commit(Cancel.NONE);
    }

    /** Ends the output; deletes the temporary file unless committed. */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            if (!committed) {
                Files.deleteIfExists(temporary);
            }
        }
    }
}
