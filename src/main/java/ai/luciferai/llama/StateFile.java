package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32C;

/**
 * A session's state on disk: llama.cpp's state file with a trailer of ours, because llama.cpp would take the state of another model of
 * the same shape, and damaged keys and values, for good.
 *
 * <p>Trailer, little endian: 8 bytes "LUCISTAT", 8 bytes {@link ModelFingerprint}, 4 bytes CRC-32C of all before it.
 */
final class StateFile {

    private static final long MAGIC = ByteBuffer.wrap("LUCISTAT".getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .order(ByteOrder.LITTLE_ENDIAN).getLong();
    private static final int TRAILER_BYTES = Long.BYTES + Long.BYTES + Integer.BYTES;
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path path;
    private final Model model;

    StateFile(Path path, Model model) {
        this.path = path;
        this.model = model;
    }

    /** @param writer writes llama.cpp's part to a path */
    void write(Consumer<Path> writer) {
        try (AtomicFile file = AtomicFile.create(path, true, List.of(model.info().path()))) {
            writer.accept(file.temporary());
            appendTrailer(file.channel());
            file.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the state " + path, e);
        }
    }

    private void appendTrailer(FileChannel channel) throws IOException {
        ByteBuffer trailer = trailer().putLong(MAGIC).putLong(ModelFingerprint.of(model.info().path()));
        CRC32C crc = checksum(channel, channel.size());
        crc.update(trailer.duplicate().flip());
        trailer.putInt((int) crc.getValue()).flip();
        long end = channel.size();
        while (trailer.hasRemaining()) {
            end += channel.write(trailer, end);
        }
    }

    /** @param reader reads llama.cpp's part from a path */
    void read(Consumer<Path> reader) {
        verify();
        reader.accept(path);
    }

    private void verify() {
        if (!Files.isRegularFile(path)) {
            throw wrong("file", "a saved state", Files.isDirectory(path) ? "a folder" : "nothing there");
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            long body = channel.size() - TRAILER_BYTES;
            if (body <= 0) {
                throw wrong("size", "more than " + TRAILER_BYTES + " bytes", channel.size() + " bytes");
            }
            verify(channel, body);
        } catch (IOException e) {
            throw ModelLoader.unreadable(path, e);
        }
    }

    private void verify(FileChannel channel, long body) throws IOException {
        ByteBuffer trailer = trailer();
        while (trailer.hasRemaining() && channel.read(trailer, body + trailer.position()) >= 0) {
            // until the trailer is there
        }
        trailer.flip();
        if (trailer.getLong() != MAGIC) {
            throw wrong("end of file", "the trailer of a state that Session.save wrote", "other bytes, or a truncated file");
        }
        long fingerprint = trailer.getLong();
        if (trailer.getInt() != (int) checksum(channel, body + Long.BYTES + Long.BYTES).getValue()) {
            throw wrong("checksum", "that of the file's content", "another one: the file is damaged");
        }
        if (fingerprint != ModelFingerprint.of(model.info().path())) {
            throw wrong("model", "a state of " + model.info().path(), "a state of another model");
        }
    }

    private static ByteBuffer trailer() {
        return ByteBuffer.allocate(TRAILER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static CRC32C checksum(FileChannel channel, long bytes) throws IOException {
        CRC32C crc = new CRC32C();
        ByteBuffer buffer = ByteBuffer.allocateDirect((int) Math.min(BUFFER_BYTES, bytes));
        for (long at = 0; at < bytes; ) {
            buffer.clear().limit((int) Math.min(buffer.capacity(), bytes - at));
            int n = channel.read(buffer, at);
            if (n < 0) {
                break;
            }
            crc.update(buffer.flip());
            at += n;
        }
        return crc;
    }

    private InvalidFileException wrong(String where, String expected, String got) {
        return new InvalidFileException(path, where, expected, got);
    }
}
