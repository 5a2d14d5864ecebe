package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Texts that options name: prompts, grammars, schemas. */
final class TextFile {

    private static final long MOST_BYTES = 1L << 30;

    private TextFile() {}

    /** The text of a file that an option names. */
    static String read(String option, String name) {
        return read(ModelMixin.path(option, name));
    }

    static String read(Path file) {
        try {
            if (Files.isDirectory(file)) {
                throw new InvalidFileException(file, "file", "a text file", "a directory");
            }
            if (Files.isRegularFile(file) && Files.size(file) > MOST_BYTES) {
                throw new InvalidFileException(file, "file", "a text of at most 1 GB", Files.size(file) + " bytes");
            }
            return decode(file, Files.readAllBytes(file));
        } catch (IOException e) {
            String got = Files.exists(file) ? e.toString() : "no such file";
            throw new InvalidFileException(file, "file", "a readable text file", got, null, e);
        }
    }

    /** UTF-8; a mark of byte order at the start, which some editors write, is no part of the text. */
    static String decode(Path file, byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new InvalidFileException(file, "text", "UTF-8", "bytes that are not", "iconv -t utf-8 converts it", e);
        }
    }
}
