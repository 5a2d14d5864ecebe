package ai.luciferai.llama.gguf;

import ai.luciferai.llama.core.InvalidFileException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * File names of split models: {@code NAME-00001-of-00003.gguf}.
 *
 * <p><i>Source</i>: {@code llama_split_path} and {@code llama_split_prefix} of llama.cpp v0.5.0.
 */
public final class SplitName {

    private static final Pattern NAME = Pattern.compile("(.*)-(\\d{5})-of-(\\d{5})\\.gguf");

    private SplitName() {}

    /** Path of part {@code part}, from 0, of a model whose parts share a prefix. */
    public static Path of(Path folderAndPrefix, int part, int count) {
        return folderAndPrefix.resolveSibling(
                String.format(Locale.ROOT, "%s-%05d-of-%05d.gguf", folderAndPrefix.getFileName(), part + 1, count));
    }

    /** Paths of the parts behind the first; none when there is one part. */
    static List<Path> others(Path first, int count) {
        var paths = new ArrayList<Path>();
        if (count > 1) {
            Path prefix = prefix(first, 0, count);
            for (int part = 1; part < count; part++) {
                paths.add(requireExisting(of(prefix, part, count), part, count));
            }
        }
        return paths;
    }

    /** The first part that belongs to any part, for a hint; the path itself when its name does not say. */
    static Path firstOf(Path part, int count) {
        Matcher name = NAME.matcher(String.valueOf(part.getFileName()));
        return name.matches() ? of(part.resolveSibling(name.group(1)), 0, count) : part;
    }

    private static Path prefix(Path path, int part, int count) {
        Matcher name = NAME.matcher(String.valueOf(path.getFileName()));
        String expected = String.format(Locale.ROOT, "-%05d-of-%05d.gguf", part + 1, count);
        if (!name.matches() || !path.getFileName().toString().equals(name.group(1) + expected)) {
            throw new InvalidFileException(path, "file name", "a name ending in " + expected, String.valueOf(path.getFileName()),
                    "the file says that it is part %d of %d: give it back its name".formatted(part + 1, count));
        }
        return path.resolveSibling(name.group(1));
    }

    private static Path requireExisting(Path path, int part, int count) {
        if (!Files.exists(path)) {
            throw new InvalidFileException(path, "part %d of %d".formatted(part + 1, count), "an existing file",
                    "nothing at this path", "all parts of a split model lie in one folder");
        }
        return path;
    }
}
