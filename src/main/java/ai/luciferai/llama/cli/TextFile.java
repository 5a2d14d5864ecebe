package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.IoFault;
import ai.luciferai.llama.core.Utf8;
import java.io.IOException;
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
                throw new InvalidFileException(file, "file", "a text file", "a folder");
            }
            if (Files.isRegularFile(file) && Files.size(file) > MOST_BYTES) {
                throw new InvalidFileException(file, "file", "a text of at most 1 GB", Files.size(file) + " bytes");
            }
            return Utf8.decode(file, Files.readAllBytes(file));
        } catch (IOException e) {
            throw new InvalidFileException(file, "file", "a readable text file", IoFault.reason(e), null, e);
        }
    }
}
