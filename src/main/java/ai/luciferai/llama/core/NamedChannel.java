package ai.luciferai.llama.core;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/** A file's channel whose failures name the file: the system's own say "No space left on device", and not where. */
final class NamedChannel extends FileChannel {

    private final Path name;
    private final FileChannel channel;

    NamedChannel(Path name, FileChannel channel) {
        this.name = name;
        this.channel = channel;
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private <T> T named(Call<T> call) throws IOException {
        try {
            return call.run();
        } catch (ClosedChannelException | FileSystemException e) {
            throw e;
        } catch (IOException e) {
            var fault = new FileSystemException(name.toString(), null, e.getMessage());
            fault.initCause(e);
            throw fault;
        }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        return named(() -> channel.read(into));
    }

    @Override
    public long read(ByteBuffer[] into, int offset, int length) throws IOException {
        return named(() -> channel.read(into, offset, length));
    }

    @Override
    public int read(ByteBuffer into, long position) throws IOException {
        return named(() -> channel.read(into, position));
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        return named(() -> channel.write(from));
    }

    @Override
    public long write(ByteBuffer[] from, int offset, int length) throws IOException {
        return named(() -> channel.write(from, offset, length));
    }

    @Override
    public int write(ByteBuffer from, long position) throws IOException {
        return named(() -> channel.write(from, position));
    }

    @Override
    public long position() throws IOException {
        return named(channel::position);
    }

    @Override
    public FileChannel position(long position) throws IOException {
        named(() -> channel.position(position));
        return this;
    }

    @Override
    public long size() throws IOException {
        return named(channel::size);
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        named(() -> channel.truncate(size));
        return this;
    }

    @Override
    public void force(boolean metadata) throws IOException {
        named(() -> {
            channel.force(metadata);
            return null;
        });
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) throws IOException {
        return named(() -> channel.transferTo(position, count, target));
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) throws IOException {
        return named(() -> channel.transferFrom(source, position, count));
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
        return named(() -> channel.map(mode, position, size));
    }

    @Override
    public MemorySegment map(MapMode mode, long offset, long size, Arena arena) throws IOException {
        return named(() -> channel.map(mode, offset, size, arena));
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) throws IOException {
        return named(() -> channel.lock(position, size, shared));
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) throws IOException {
        return named(() -> channel.tryLock(position, size, shared));
    }

    @Override
    protected void implCloseChannel() throws IOException {
        named(() -> {
            channel.close();
            return null;
        });
    }
}
