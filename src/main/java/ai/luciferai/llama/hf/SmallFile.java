package ai.luciferai.llama.hf;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files that are read into memory as a whole: templates, merges, vocabularies. None that is sound is large. */
public final class SmallFile {

    /** Ten times the largest tokenizer files there are. */
    static final long MOST_BYTES = 64L << 20;

    private SmallFile() {}

    /**
     * The bytes of a file.
     *
     * @throws InvalidFileException when it is too large to be what it should be
     */
    public static byte[] read(Path file) throws IOException {
        requireAtMost(file, MOST_BYTES);
        return Files.readAllBytes(file);
    }

    static void requireAtMost(Path file, long bytes) throws IOException {
        long size = Files.size(file);
        if (size > bytes) {
            throw new InvalidFileException(file, "size", "at most " + bytes + " bytes", String.valueOf(size));
        }
    }
}
