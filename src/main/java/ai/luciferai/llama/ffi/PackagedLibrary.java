package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.IoFault;
import ai.luciferai.llama.core.NativeLibraryException;
import ai.luciferai.llama.core.Sha256;
import ai.luciferai.llama.core.UserCache;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The libraries inside the jar, unpacked into the user's cache: another version or build has a folder of its own there. */
final class PackagedLibrary {

    /** Lists the libraries beside it, a line each: SHA-256, two spaces, file name. */
    static final String MANIFEST = "MANIFEST.sha256";

    private final URL manifest;

    /** @param manifest the jar's */
    PackagedLibrary(URL manifest) {
        this.manifest = manifest;
    }

    /** What is known of libraries that are in the cache. */
    private record Listing(String folder, List<UserCache.Content> contents) {}

    private interface Work<T> {
        T on(Listing listing) throws IOException;
    }

    /**
     * The folder that holds the libraries.
     *
     * @throws NativeLibraryException when they cannot be written there or are not what the manifest says
     */
    Path unpacked() {
        return run(listing -> UserCache.unpacked(listing.folder, listing.contents));
    }

    /** Compares the folder with the manifest byte for byte and replaces what differs; whether anything did. */
    boolean mend() {
        return run(listing -> UserCache.mend(listing.folder, listing.contents));
    }

    private <T> T run(Work<T> work) {
        try {
            return work.on(listing());
        } catch (IOException e) {
            throw new NativeLibraryException("cannot unpack " + manifest + " into the user's cache: " + IoFault.text(e),
                    "make that folder writable, or name another with -D" + UserCache.PROPERTY + "=…", e);
        }
    }

    private Listing listing() throws IOException {
        byte[] text;
        try (InputStream in = manifest.openStream()) {
            text = in.readAllBytes();
        }
        var contents = new ArrayList<UserCache.Content>();
        for (String line : new String(text, StandardCharsets.UTF_8).lines().toList()) {
            if (!line.matches("[0-9a-f]{64}  [A-Za-z0-9_+.-]+")) {
                throw new IOException("not a line of " + MANIFEST + ": " + line);
            }
            String name = line.substring(66);
            contents.add(new UserCache.Content(name, line.substring(0, 64), URI.create(manifest.toString().replace(MANIFEST, name)).toURL()));
        }
        return new Listing(version() + "-" + Sha256.hex(text).substring(0, 16), contents);
    }

    private static String version() {
        String version = PackagedLibrary.class.getPackage().getImplementationVersion();
        return version != null ? version
                : Optional.ofNullable(PackagedLibrary.class.getModule().getDescriptor()).flatMap(ModuleDescriptor::rawVersion).orElse("dev");
    }
}
