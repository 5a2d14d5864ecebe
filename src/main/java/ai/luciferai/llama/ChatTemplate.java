package ai.luciferai.llama;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.IoFault;
import ai.luciferai.llama.core.Utf8;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How messages become a prompt: the model's own template, or another one.
 *
 * @param source Jinja source, or the name of one of llama.cpp's templates; empty: the model's own
 * @param file   where the source was read from, for messages
 */
public record ChatTemplate(String source, Optional<Path> file) {

    private static final ChatTemplate OWN = new ChatTemplate("");

    public ChatTemplate {
        Check.present("chat-template", source);
        Check.present("chat-template file", file);
    }

    public ChatTemplate(String source) {
        this(source, Optional.empty());
    }

    /** The model's own. */
    public static ChatTemplate own() {
        return OWN;
    }

    /** One of llama.cpp's templates: "chatml", "llama3", … */
    public static ChatTemplate named(String name) {
        return new ChatTemplate(Check.notEmpty("chat-template", name));
    }

    /** Jinja source. */
    public static ChatTemplate jinja(String source) {
        return new ChatTemplate(Check.notEmpty("chat-template", source));
    }

    /** A file with Jinja source. */
    public static ChatTemplate file(Path path) {
        try {
            String source = Utf8.decode(path, Files.readAllBytes(path));
            if (source.isBlank()) {
                throw new InvalidFileException(path, "chat template", "a Jinja template", source.isEmpty() ? "an empty file" : "blanks only");
            }
            return new ChatTemplate(source, Optional.of(path));
        } catch (IOException e) {
            throw new InvalidFileException(path, "chat template", "a readable UTF-8 file", IoFault.reason(e), null, e);
        }
    }

    /** What {@code --chat-template NAME|FILE} means: a file when there is one of that name, else a name. */
    public static ChatTemplate parse(String nameOrFile) {
        Check.notEmpty("chat-template", nameOrFile);
        if (nameOrFile.contains("{%") || nameOrFile.contains("{{")) {
            return jinja(nameOrFile);
        }
        boolean likeFile = nameOrFile.indexOf('/') >= 0 || nameOrFile.endsWith(".jinja") || nameOrFile.endsWith(".txt");
        return likeFile || Files.exists(Path.of(nameOrFile)) ? file(Path.of(nameOrFile)) : named(nameOrFile);
    }

    public boolean isOwn() {
        return source.isEmpty();
    }
}
