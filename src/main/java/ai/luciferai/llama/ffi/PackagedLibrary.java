package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.NativeLibraryException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The libraries inside the jar, copied once into a folder of the user that is named after version and contents.
 *
 * <p>They are copied into a folder of another name, which is renamed when it is complete. So two processes at once do no harm, an
 * interrupted copy is never used, and another version gets another folder.
 */
final class PackagedLibrary {

    /** Lists the libraries beside it, a line each: SHA-256, two spaces, file name. */
    static final String MANIFEST = "MANIFEST.sha256";

    /** Where to unpack to, in place of the user's cache folder. */
    static final String CACHE_PROPERTY = "ai.luciferai.llama.cache";

    private PackagedLibrary() {}

    /**
     * The folder that holds the libraries of a manifest.
     *
     * @param cache folder to make it in
     * @throws NativeLibraryException when they cannot be written there or are not what the manifest says
     */
    static Path unpack(URL manifest, Path cache) {
        try {
            byte[] text = read(manifest);
            Path target = cache.resolve(folderName(text));
            if (!Files.isDirectory(target)) {
                copyAll(manifest, text, target);
            }
            return target;
        } catch (IOException e) {
            throw new NativeLibraryException("cannot unpack " + manifest + " into " + cache + ": " + e,
                    "make that folder writable, or name another with -D" + CACHE_PROPERTY + "=…", e);
        }
    }

    private static String folderName(byte[] manifest) {
        String version = PackagedLibrary.class.getPackage().getImplementationVersion();
        if (version == null) {
            version = Optional.ofNullable(PackagedLibrary.class.getModule().getDescriptor()).flatMap(ModuleDescriptor::rawVersion)
                    .orElse("dev");
        }
        return version + "-" + HexFormat.of().formatHex(sha256().digest(manifest), 0, 8);
    }

    /** The user's cache folder, or what {@link #CACHE_PROPERTY} says. */
    static Path cache() {
        String explicit = System.getProperty(CACHE_PROPERTY);
        if (explicit != null) {
            return Path.of(explicit).toAbsolutePath();
        }
        Path home = Path.of(System.getProperty("user.home"));
        Path base = switch (LibraryLookup.os(System.getProperty("os.name"))) {
            case "macos" -> home.resolve("Library/Caches");
            case "windows" -> folder("LOCALAPPDATA", home.resolve("AppData/Local"));
            default -> folder("XDG_CACHE_HOME", home.resolve(".cache"));
        };
        return base.resolve("lucifer-llama/native");
    }

    private static Path folder(String variable, Path otherwise) {
        String value = System.getenv(variable);
        return value == null || value.isBlank() ? otherwise : Path.of(value);
    }

    private static void copyAll(URL manifest, byte[] text, Path target) throws IOException {
        Files.createDirectories(target.getParent());
        Path partial = Files.createTempDirectory(target.getParent(), "." + target.getFileName() + ".");
        try {
            for (var entry : digests(text).entrySet()) {
                copy(URI.create(manifest.toString().replace(MANIFEST, entry.getKey())).toURL(), partial.resolve(entry.getKey()),
                        entry.getValue());
            }
            moveInto(partial, target);
        } finally {
            delete(partial);
        }
    }

    private static void copy(URL source, Path file, String expected) throws IOException {
        var digest = sha256();
        try (var in = new DigestInputStream(source.openStream(), digest)) {
            Files.copy(in, file);
        }
        String got = HexFormat.of().formatHex(digest.digest());
        if (!got.equals(expected)) {
            throw new IOException(source + " is damaged: its SHA-256 is " + got + ", the manifest says " + expected);
        }
    }

    private static void moveInto(Path partial, Path target) throws IOException {
        try {
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            if (!Files.isDirectory(target)) {
                throw e;
            }
            // Another process was faster; its copy is the same.
        }
    }

    private static Map<String, String> digests(byte[] manifest) throws IOException {
        var digests = new TreeMap<String, String>();
        for (String line : new String(manifest, StandardCharsets.UTF_8).lines().toList()) {
            if (!line.matches("[0-9a-f]{64}  [A-Za-z0-9_+.-]+")) {
                throw new IOException("not a line of " + MANIFEST + ": " + line);
            }
            digests.put(line.substring(66), line.substring(0, 64));
        }
        return digests;
    }

    private static byte[] read(URL url) throws IOException {
        try (InputStream in = url.openStream()) {
            return in.readAllBytes();
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (var files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
