package ai.luciferai.llama;

import ai.luciferai.llama.ffi.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.zip.ZipEntry;

/**
 * The built-in model as a file, which native code needs: used in place when classes come from a folder, else taken out of the jar once
 * for each user. The file's folder is named after the content's length and checksum as the jar states them, so that a newer jar's
 * model never meets an older one's file, and nothing needs to be read again.
 */
final class EmbeddedModel {

    static final String RESOURCE = "/ai/luciferai/llama/lucifer-tiny-f16.gguf";
    private static final String FILE = "lucifer-tiny-f16.gguf";

    private EmbeddedModel() {}

    static Path path() {
        URL url = EmbeddedModel.class.getResource(RESOURCE);
        if (url == null) {
            throw new IllegalStateException("the embedded model " + RESOURCE + " is missing from this build");
        }
        try {
            return url.getProtocol().equals("file") ? Path.of(URI.create(url.toString())) : extracted(url);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot unpack the embedded model into " + NativeLibrary.cacheFolder(), e);
        }
    }

    private static Path extracted(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        Path file = NativeLibrary.cacheFolder().resolve("models").resolve(key(connection)).resolve(FILE);
        if (!Files.isRegularFile(file)) {
            Files.createDirectories(file.getParent());
            unpack(url, file);
        }
        return file;
    }

    private static String key(URLConnection connection) throws IOException {
        long checksum = 0;
        if (connection instanceof JarURLConnection jar) {
            ZipEntry entry = jar.getJarEntry();
            checksum = entry.getCrc();
        }
        return "lucifer-tiny-" + connection.getContentLengthLong() + "-" + Long.toHexString(checksum);
    }

    /** Two processes may do this at once: each writes a file of its own, the later rename wins with the same content. */
    private static void unpack(URL url, Path file) throws IOException {
        Path temporary = Files.createTempFile(file.getParent(), FILE, ".tmp");
        try (InputStream in = url.openStream()) {
            Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
            move(temporary, file);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
