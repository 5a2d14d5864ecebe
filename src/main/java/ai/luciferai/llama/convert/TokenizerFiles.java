package ai.luciferai.llama.convert;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The files of a model's folder that say how text becomes tokens. Each is parsed once: a vocabulary takes a second. */
final class TokenizerFiles {

    private final Path folder;
    private final Map<String, JsonObject> parsed = new HashMap<>();

    TokenizerFiles(Path folder) {
        this.folder = folder;
    }

    Path folder() {
        return folder;
    }

    Path path(String name) {
        return folder.resolve(name);
    }

    boolean has(String name) {
        return Files.isRegularFile(path(name));
    }

    /**
     * A JSON file.
     *
     * @throws InvalidFileException when it is missing or no JSON object
     */
    JsonObject json(String name) throws IOException {
        JsonObject known = parsed.get(name);
        if (known == null) {
            known = JsonObject.read(path(name));
            parsed.put(name, known);
        }
        return known;
    }

    /** A JSON file, or an empty object when there is no such file. */
    JsonObject jsonIfPresent(String name) throws IOException {
        return has(name) ? json(name) : JsonObject.readIfPresent(path(name));
    }
}
