package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Chat templates that the user names: a well-known one, or a file. */
final class ChatTemplates {

    private static final JsonObject KNOWN = JsonObject.resource(ChatTemplates.class, "chat-templates.json").object("templates");

    private ChatTemplates() {}

    /** The text of a template; null for null. */
    static String find(String nameOrFile) throws IOException {
        if (nameOrFile == null) {
            return null;
        }
        if (KNOWN.has(nameOrFile)) {
            return KNOWN.text(nameOrFile);
        }
        try {
            Path file = Path.of(nameOrFile);
            if (Files.isRegularFile(file)) {
                return SpecialTokens.readText(file);
            }
        } catch (InvalidPathException odd) {
            // answered below
        }
        throw new InvalidOptionException("chat-template", "a file, or one of " + String.join(", ", KNOWN.values().keySet()), nameOrFile);
    }
}
