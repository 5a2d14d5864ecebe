package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.NativeLibraryException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where the native library is looked for: the property {@value #PROPERTY} alone when it is set; else the build folder of a
 * checkout that these classes were compiled in; else the copy in the jar, unpacked. What failed is kept for the message.
 */
final class LibraryLookup {

    /** Names the library file, or the folder that holds it. */
    static final String PROPERTY = "ai.luciferai.llama.native";

    /** Where a checkout builds to, below its root: one folder for each preset of native/CMakePresets.json. */
    private static final List<String> BUILD_FOLDERS = List.of("build/native/dev/lib", "build/native/release/lib");

    private final String library = System.mapLibraryName("lucifer_llama");
    private final List<String> tried = new ArrayList<>();
    private final String property;
    private final Path classes;

    /** Where {@link #find} took the library from, if that was the jar. */
    private PackagedLibrary packaged;

    /**
     * @param property value of {@link #PROPERTY}, or null
     * @param classes  folder or jar that these classes came from, or null when not known
     */
    LibraryLookup(String property, Path classes) {
        this.property = property;
        this.classes = classes;
    }

    static LibraryLookup ofThisProcess() {
        return new LibraryLookup(System.getProperty(PROPERTY), location());
    }

    /** "linux-x86_64": what the folder of a packaged library is called. */
    static String platform() {
        return os(System.getProperty("os.name")) + "-" + arch(System.getProperty("os.arch"));
    }

    static String os(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.startsWith("mac") ? "macos" : lower.startsWith("windows") ? "windows" : lower.replace(' ', '-');
    }

    static String arch(String name) {
        return switch (name) {
            case "amd64", "x86_64", "x64" -> "x86_64";
            case "arm64", "aarch64" -> "aarch64";
            default -> name;
        };
    }

    /**
     * The library's file.
     *
     * @throws NativeLibraryException when it is nowhere; the message lists every place
     */
    Path find() {
        Path found = property != null ? fromProperty() : fromCheckout();
        if (found == null && property == null) {
            found = fromJar();
        }
        if (found == null) {
            throw new NativeLibraryException("no native library " + library + " for " + platform() + ", looked in:"
                    + String.join("", tried.stream().map(place -> System.lineSeparator() + "  " + place).toList()),
                    "build it with mvn package, or name its folder with -D" + PROPERTY + "=…");
        }
        return found.toAbsolutePath();
    }

    /** For a library that was found and cannot be loaded: whether its copy was damaged, and now is as the jar has it. */
    boolean mend() {
        return packaged != null && packaged.mend();
    }

    private Path fromProperty() {
        Path path = Path.of(property);
        Path file = Files.isDirectory(path) ? path.resolve(library) : path;
        return existing(file, "-D" + PROPERTY + "=" + property);
    }

    private Path fromCheckout() {
        Path root = checkout();
        if (root == null) {
            tried.add("build folder of a checkout: these classes were not compiled in one (" + classes + ")");
            return null;
        }
        for (String folder : BUILD_FOLDERS) {
            Path file = existing(root.resolve(folder).resolve(library), "build folder");
            if (file != null) {
                return file;
            }
        }
        return null;
    }

    /** The repository that these classes were compiled in: the folder above {@code target}, by its header. */
    private Path checkout() {
        Path target = classes == null ? null : classes.getParent();
        Path root = target == null ? null : target.getParent();
        return root != null && Files.exists(root.resolve("native/include/lucifer_llama.h")) ? root : null;
    }

    private Path fromJar() {
        String resource = "/native/" + platform() + "/" + PackagedLibrary.MANIFEST;
        URL manifest = LibraryLookup.class.getResource(resource);
        if (manifest == null) {
            tried.add("packaged resource " + resource + ": this jar has none");
            return null;
        }
        packaged = new PackagedLibrary(manifest);
        return existing(packaged.unpacked().resolve(library), "unpacked from " + manifest);
    }

    private Path existing(Path file, String origin) {
        if (Files.isRegularFile(file)) {
            return file;
        }
        tried.add(file + " (" + origin + "): no such file");
        return null;
    }

    private static Path location() {
        try {
            var source = LibraryLookup.class.getProtectionDomain().getCodeSource();
            // Null too for a class out of an AOT cache that was made under another name of the same folder.
            return source == null || source.getLocation() == null ? null : Path.of(new URI(source.getLocation().toString()));
        } catch (URISyntaxException | IllegalArgumentException | SecurityException e) {
            return null;
        }
    }
}
