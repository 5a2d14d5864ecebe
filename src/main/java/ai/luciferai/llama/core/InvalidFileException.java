package ai.luciferai.llama.core;

import java.nio.file.Path;

/** An input file is missing, damaged, or not what it should be. Remedy: give another file. */
public final class InvalidFileException extends BridgeException {

    private static final long serialVersionUID = 1L;

    private final transient Path path;
    private final String where;
    private final String expected;
    private final String got;

    /**
     * @param path     the file (required)
     * @param where    the place in it: "header", "tensor 'token_embd.weight'", "metadata key 'general.alignment'" (required)
     * @param expected what a good file has there (required)
     * @param got      what this one has (required)
     */
    public InvalidFileException(Path path, String where, String expected, String got) {
        this(path, where, expected, got, null);
    }

    /** With the remedy, or null. */
    public InvalidFileException(Path path, String where, String expected, String got, String hint) {
        this(path, where, expected, got, hint, null);
    }

    /** With the remedy and the cause; both may be null. */
    public InvalidFileException(Path path, String where, String expected, String got, String hint, Throwable cause) {
        super("%s: %s: expected %s, got %s".formatted(path, clipped(where), clipped(expected), clipped(got)), hint, cause);
        this.path = path;
        this.where = where;
        this.expected = expected;
        this.got = got;
    }

    /** The file (null only after Java serialization). */
    public Path path() {
        return path;
    }

    /** The place in the file. */
    public String where() {
        return where;
    }

    /** What a good file has there. */
    public String expected() {
        return expected;
    }

    /** What this file has there. */
    public String got() {
        return got;
    }
}
