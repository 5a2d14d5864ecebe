package ai.luciferai.llama.core;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Files out of the jar that must be files to be used, unpacked once for each user into a folder that is named after their contents.
 *
 * <p>Each file appears whole and on disk, then a seal with the sizes and times of all: while those are as the seal says, nothing is read
 * again. Where they are not (a run that was interrupted, a file deleted, cut short or changed), every file is compared with its digest and
 * replaced if need be. Replaced, not written over: another process may have it mapped. So two processes at once do no harm either.
 */
public final class UserCache {

    /** Names the folder, in place of the user's cache folder. */
    public static final String PROPERTY = "ai.luciferai.llama.cache";

    private static final String SEAL = ".sealed";

    private UserCache() {}

    /**
     * A file to be.
     *
     * @param name   its name in the folder
     * @param sha256 digest of its bytes, in lower-case hex
     * @param source where the jar has it
     */
    public record Content(String name, String sha256, URL source) {}

    /**
     * The folder with these files.
     *
     * @param name what the folder is called, different for different contents
     * @throws IOException when it cannot be written to, or a source is not what its digest says; the message says where
     */
    public static Path unpacked(String name, List<Content> contents) throws IOException {
        Path folder = folder().resolve(name);
        if (!isSealed(folder, contents)) {
            mend(name, contents);
        }
        return folder;
    }

    /**
     * Compares every file of the folder with its digest and replaces those that differ.
     *
     * @return whether any did
     */
    public static boolean mend(String name, List<Content> contents) throws IOException {
        Path folder = Files.createDirectories(folder().resolve(name));
        boolean mended = false;
        for (Content content : contents) {
            Path file = folder.resolve(content.name());
            if (!Files.isRegularFile(file) || !digest(file).equals(content.sha256())) {
                copy(content, file);
                mended = true;
            }
        }
        if (!isSealed(folder, contents)) {
            seal(folder, contents);
        }
        return mended;
    }

    private static void seal(Path folder, List<Content> contents) {
        try (var seal = AtomicFile.create(folder.resolve(SEAL), true, List.of())) {
            seal.write(state(folder, contents).getBytes());
            seal.commit();
        } catch (IOException e) {
            // A folder that is complete and may only be read: every start compares the digests, and goes on.
        }
    }

    /**
     * The user's folder for such files.
     *
     * @throws IOException when the system does not say where that is
     */
    public static Path folder() throws IOException {
        String explicit = System.getProperty(PROPERTY);
        return explicit != null ? path(explicit).toAbsolutePath() : systemFolder().resolve("lucifer-llama/native");
    }

    private static Path systemFolder() throws IOException {
        String os = System.getProperty("os.name");
        if (os.startsWith("Mac")) {
            return home().resolve("Library/Caches");
        }
        boolean windows = os.startsWith("Windows");
        String value = System.getenv(windows ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
        Path named = value == null ? null : path(value);
        // A relative one is to be ignored, says the specification of the variable.
        return named != null && named.isAbsolute() ? named : home().resolve(windows ? "AppData/Local" : ".cache");
    }

    private static Path home() throws IOException {
        Path home = path(System.getProperty("user.home", ""));
        if (!home.isAbsolute()) {
            throw new IOException("this user has no home folder");
        }
        return home;
    }

    private static Path path(String name) throws IOException {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new IOException("no name of a folder in the encoding " + System.getProperty("sun.jnu.encoding") + ": " + name, e);
        }
    }

    private static boolean isSealed(Path folder, List<Content> contents) throws IOException {
        Path seal = folder.resolve(SEAL);
        return Files.isRegularFile(seal) && new String(Files.readAllBytes(seal)).equals(state(folder, contents));
    }

    /** Sizes and times, the latter in seconds: finer ones are lost where folders are copied or packed. */
    private static String state(Path folder, List<Content> contents) throws IOException {
        var state = new StringBuilder();
        for (Content content : contents) {
            try {
                var file = Files.readAttributes(folder.resolve(content.name()), BasicFileAttributes.class);
                state.append(content.name()).append(' ').append(file.size()).append(' ').append(file.lastModifiedTime().to(TimeUnit.SECONDS));
            } catch (NoSuchFileException e) {
                state.append(content.name()).append(" none");
            }
            state.append('\n');
        }
        return state.toString();
    }

    private static void copy(Content content, Path file) throws IOException {
        try (var out = AtomicFile.create(file, true, List.of());
                var in = new DigestInputStream(content.source().openStream(), Sha256.digest())) {
            in.transferTo(Channels.newOutputStream(out.channel()));
            String got = HexFormat.of().formatHex(in.getMessageDigest().digest());
            if (!got.equals(content.sha256())) {
                throw new IOException(content.source() + " is damaged: its SHA-256 is " + got + ", not " + content.sha256());
            }
            out.commit();
        }
    }

    private static String digest(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = Sha256.digest();
            var buffer = new byte[1 << 16];
            for (int n; (n = in.read(buffer)) > 0; ) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        }
    }
}
