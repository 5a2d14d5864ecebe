package ai.luciferai.llama;

import ai.luciferai.llama.core.AtomicFile;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.IoFault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * A session's state on disk, written whole or not at all. That a file is undamaged and of the same model is the native side's check:
 * it appends a checksum and the model's fingerprint, because llama.cpp itself would take another model's state of the same shape.
 */
final class StateFile {

    private final Path path;
    private final Path model;

    StateFile(Path path, Path model) {
        this.path = path;
        this.model = model;
    }

    /** @param writer writes the state to a path */
    void write(Consumer<Path> writer) {
        try (AtomicFile file = AtomicFile.create(path, true, List.of(model))) {
            writer.accept(file.temporary());
            file.commit();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the state " + IoFault.text(e), e);
        }
    }

    /** @param reader reads the state from a path */
    void read(Consumer<Path> reader) {
        if (!Files.isRegularFile(path)) {
            throw new InvalidFileException(path, "file", "a saved state", Files.isDirectory(path) ? "a folder" : "nothing there");
        }
        reader.accept(path);
    }
}
