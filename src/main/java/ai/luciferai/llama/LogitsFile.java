package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.ffi.Scorer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * A model's predictions on a text: the file of llama-perplexity's {@code --kl-divergence-base}. Little endian:
 * <pre>
 * "_logits_", int32 n_ctx, int32 n_vocab, int32 n_chunk
 * int32 tokens[n_chunk * n_ctx]
 * n_chunk times, n_ctx - 1 - n_ctx/2 rows: float scale, float least, uint16 of each word (padded to an even number)
 * </pre>
 * A log-probability is {@code least + scale * number}.
 *
 * <p><i>Source</i>: perplexity() and kl_divergence() of llama.cpp v0.5.0, tools/perplexity/perplexity.cpp.
 */
final class LogitsFile implements AutoCloseable {

    private static final byte[] MAGIC = "_logits_".getBytes(StandardCharsets.US_ASCII);
    private static final int HEADER = MAGIC.length + 3 * Integer.BYTES;

    private final FileChannel channel;
    private final TextChunks chunks;
    private final int vocabulary;

    private LogitsFile(FileChannel channel, TextChunks chunks, int vocabulary) {
        this.channel = channel;
        this.chunks = chunks;
        this.vocabulary = vocabulary;
    }

    /** Whether the file says it is one. */
    static boolean isOne(Path path) throws IOException {
        MappedFile.requireReadable(path);
        try (var channel = FileChannel.open(path, StandardOpenOption.READ)) {
            var magic = ByteBuffer.allocate(MAGIC.length);
            channel.read(magic, 0);
            return Arrays.equals(magic.array(), MAGIC);
        }
    }

    /**
     * Opens a file for reading.
     *
     * @throws InvalidFileException when it is none, or its size does not fit its header
     */
    static LogitsFile open(Path path) throws IOException {
        if (!isOne(path)) {
            throw new InvalidFileException(path, "header", "_logits_", "something else", "evaluate --save-logits writes such a file");
        }
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            if (channel.size() < HEADER) {
                throw new InvalidFileException(path, "header", HEADER + " bytes", channel.size() + " bytes");
            }
            ByteBuffer header = read(channel, MAGIC.length, 3 * Integer.BYTES);
            int size = positive(path, "n_ctx", header.getInt());
            int vocabulary = positive(path, "n_vocab", header.getInt());
            int count = positive(path, "n_chunk", header.getInt());
            long tokens = (long) size * count;
            long expected = HEADER + Integer.BYTES * tokens + count * chunkBytes(size, vocabulary);
            if (tokens > Integer.MAX_VALUE / Integer.BYTES || chunkBytes(size, vocabulary) > Integer.MAX_VALUE
                    || channel.size() < expected) {
                throw new InvalidFileException(path, "file", "%d chunks of %d tokens, %d bytes".formatted(count, size, expected),
                        channel.size() + " bytes");
            }
            var ids = new int[(int) tokens];
            read(channel, HEADER, Integer.BYTES * ids.length).asIntBuffer().get(ids);
            requireTokens(path, ids, vocabulary);
            return new LogitsFile(channel, new TextChunks(ids, size), vocabulary);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static int positive(Path path, String what, int value) {
        if (value < 1) {
            throw new InvalidFileException(path, "header, " + what, "at least 1", Integer.toString(value));
        }
        return value;
    }

    private static void requireTokens(Path path, int[] ids, int vocabulary) {
        for (int id : ids) {
            if (id < 0 || id >= vocabulary) {
                throw new InvalidFileException(path, "tokens", "ids below " + vocabulary, Integer.toString(id));
            }
        }
    }

    /** Begins a file; the channel stays the caller's. */
    static LogitsFile create(FileChannel channel, TextChunks chunks, int vocabulary) throws IOException {
        Check.require(chunkBytes(chunks.size(), vocabulary) <= Integer.MAX_VALUE, "ctx-size",
                "chunks whose predictions of " + vocabulary + " words fit into 2 GiB", chunks.size());
        ByteBuffer head = ByteBuffer.allocate(HEADER + Integer.BYTES * chunks.tokens().length).order(ByteOrder.LITTLE_ENDIAN);
        head.put(MAGIC).putInt(chunks.size()).putInt(vocabulary).putInt(chunks.count());
        head.asIntBuffer().put(chunks.tokens());
        var file = new LogitsFile(channel, chunks, vocabulary);
        file.write(head.rewind(), 0);
        return file;
    }

    /** Size of a whole file. */
    static long bytes(TextChunks chunks, int vocabulary) {
        return HEADER + (long) Integer.BYTES * chunks.tokens().length + chunks.count() * chunkBytes(chunks.size(), vocabulary);
    }

    private static long chunkBytes(int size, int vocabulary) {
        return (size - 1 - size / 2) * Scorer.packedBytes(vocabulary);
    }

    /** The text that was read. */
    TextChunks chunks() {
        return chunks;
    }

    /** Words that each prediction is over. */
    int vocabulary() {
        return vocabulary;
    }

    /** Predictions of a chunk. */
    void read(int chunk, ByteBuffer into) throws IOException {
        fill(channel, position(chunk), into.clear());
    }

    /** Sets the predictions of a chunk. */
    void write(int chunk, ByteBuffer predictions) throws IOException {
        write(predictions.clear(), position(chunk));
    }

    private long position(int chunk) {
        return HEADER + (long) Integer.BYTES * chunks.tokens().length + chunk * chunkBytes(chunks.size(), vocabulary);
    }

    private void write(ByteBuffer bytes, long position) throws IOException {
        for (long at = position; bytes.hasRemaining(); ) {
            at += channel.write(bytes, at);
        }
    }

    private static ByteBuffer read(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        fill(channel, position, bytes);
        return bytes.rewind();
    }

    private static void fill(FileChannel channel, long position, ByteBuffer bytes) throws IOException {
        for (long at = position; bytes.hasRemaining(); ) {
            int n = channel.read(bytes, at);
            if (n < 0) {
                throw new EOFException("the end of a file of predictions at " + at);
            }
            at += n;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
