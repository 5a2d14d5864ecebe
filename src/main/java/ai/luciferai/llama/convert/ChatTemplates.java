package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Chat templates that the user names: a well-known one, or a file. */
final class ChatTemplates {

    private static final JsonObject KNOWN = JsonObject.resource(ChatTemplates.class, "chat-templates.json").object("templates");

    private static final System.Logger LOG = System.getLogger(ChatTemplates.class.getName());

    private ChatTemplates() {}

    /**
     * Says of the model's own templates which are not whole. They are written as they are, as the reference writes them: the model
     * completes all the same.
     *
     * @param template text, or a list of objects with "name" and "template"
     */
    static void tellFaults(Object template) {
        if (template instanceof List<?> list) {
            list.forEach(item -> tellFaults(item instanceof Map<?, ?> named ? named.get("template") : null));
        } else if (template instanceof String text && JinjaBlocks.fault(text) != null) {
            LOG.log(System.Logger.Level.WARNING, "the model''s chat template does not parse, {0}: it is written as it is, and no chat begins with it; "
                    + "--chat-template gives the model another one", JinjaBlocks.fault(text));
        }
    }

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
                String template = SpecialTokens.readText(file);
                String fault = template.isBlank() ? "it is empty" : JinjaBlocks.fault(template);
                if (fault != null) {
                    throw new InvalidOptionException("chat-template", "a Jinja template that is whole", file + ": " + fault);
                }
                return template;
            }
        } catch (InvalidPathException odd) {
            // answered below
        }
        throw new InvalidOptionException("chat-template", "a file, or one of " + String.join(", ", KNOWN.values().keySet()), nameOrFile);
    }
}
