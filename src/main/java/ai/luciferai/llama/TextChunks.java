package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.MappedFile;
import ai.luciferai.llama.core.Utf8;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A text cut into chunks of equal size, each of which a model reads by itself, as llama-perplexity and llama-imatrix cut it. The tokens
 * of a chunk's first half are only read; those behind are predicted.
 *
 * @param tokens of all chunks, one behind the other
 * @param size   tokens of a chunk
 */
record TextChunks(int[] tokens, int size) {

    /** Which chunks of a text. {@code most} -1: all. */
    record Part(int size, int first, int most) {}

    TextChunks {
        if (size < 1 || tokens.length % size != 0) {
            throw new IllegalArgumentException(tokens.length + " tokens in chunks of " + size);
        }
    }

    /** The chunks of a file. */
    static TextChunks read(Path file, Part part, boolean parseSpecial, Model model, Cancel cancel) throws IOException {
        int[] tokens = model.tokenize(text(file), new TokenizeOptions(true, parseSpecial), cancel);
        long skipped = (long) part.first() * part.size();
        if (tokens.length - skipped < 2L * part.size()) {
            throw new InvalidFileException(file, "text", "at least %d tokens, two chunks%s".formatted(2L * part.size() + skipped,
                    skipped == 0 ? "" : " behind those left out"), Integer.toString(tokens.length), "a longer text, or a smaller -c", null);
        }
        return of(Arrays.copyOfRange(tokens, (int) skipped, tokens.length), part.size(), part.most());
    }

    /** As many whole chunks as there are, or as are wanted. */
    static TextChunks of(int[] tokens, int size, int most) {
        int count = most < 0 ? tokens.length / size : Math.min(most, tokens.length / size);
        return new TextChunks(Arrays.copyOf(tokens, count * size), size);
    }

    /** As upstream's option -f: without the last line end. */
    private static String text(Path file) throws IOException {
        MappedFile.requireReadable(file);
        String text = Utf8.decode(file, Files.readAllBytes(file));
        return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    /** Number of chunks. */
    int count() {
        return tokens.length / size;
    }

    /** Position of the first token whose prediction of the next counts. */
    int first() {
        return size / 2;
    }

    /** Predictions of a chunk that count. */
    int rows() {
        return size - 1 - first();
    }

    /** Index in {@link #tokens} of what the first of these predicts. */
    int label(int chunk) {
        return chunk * size + first() + 1;
    }
}
