package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.NativeLibraryException;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackagedLibraryTest {

    private final TreeMap<String, byte[]> libraries = new TreeMap<>();

    @TempDir
    Path folder;

    private Path cache;

    @BeforeEach
    void makeLibraries() {
        cache = folder.resolve("cache");
        libraries.put("libfirst.so", new byte[100_000]);
        libraries.put("libsecond-x86+v3.so", new byte[] {1, 2, 3});
    }

    @Test
    void unpacksOnceWhatTheManifestLists() throws Exception {
        URL manifest = jar();
        Path unpacked = PackagedLibrary.unpack(manifest, cache);
        assertEquals(libraries.keySet(), names(unpacked));
        assertEquals(-1, Files.mismatch(unpacked.resolve("libfirst.so"), write("expected", libraries.get("libfirst.so"))));
        Files.writeString(unpacked.resolve("mark"), "");
        assertEquals(unpacked, PackagedLibrary.unpack(manifest, cache));
        assertTrue(Files.exists(unpacked.resolve("mark")), "was unpacked again");
        assertEquals(1, names(cache).size(), "leftovers beside " + unpacked);
    }

    @Test
    void otherContentsGetAnotherFolder() throws Exception {
        Path first = PackagedLibrary.unpack(jar(), cache);
        libraries.put("libfirst.so", new byte[] {4});
        assertNotEquals(first, PackagedLibrary.unpack(jar(), cache));
    }

    @Test
    void manyAtOnceAgreeOnOneWholeFolder() throws Exception {
        URL manifest = jar();
        try (var threads = Executors.newFixedThreadPool(8)) {
            var found = new HashSet<Path>();
            for (var folderOfOne : threads.invokeAll(Collections.nCopies(8, (Callable<Path>) () -> PackagedLibrary.unpack(manifest, cache)))) {
                found.add(folderOfOne.get());
            }
            assertEquals(1, found.size());
            assertEquals(libraries.keySet(), names(found.iterator().next()));
            assertEquals(1, names(cache).size(), "leftovers");
        }
    }

    @Test
    void damagedLibraryIsRefusedAndLeavesNothing() throws Exception {
        URL manifest = jar("0".repeat(64) + "  libfirst.so\n");
        var fault = assertThrows(NativeLibraryException.class, () -> PackagedLibrary.unpack(manifest, cache));
        assertTrue(fault.getMessage().contains("libfirst.so is damaged"), fault.getMessage());
        assertEquals(List.of(), List.copyOf(names(cache)));
    }

    @Test
    void nameThatLeavesTheFolderIsRefused() throws Exception {
        URL manifest = jar("0".repeat(64) + "  ../libfirst.so\n");
        var fault = assertThrows(NativeLibraryException.class, () -> PackagedLibrary.unpack(manifest, cache));
        assertTrue(fault.getMessage().contains("not a line of MANIFEST.sha256"), fault.getMessage());
    }

    @Test
    void folderThatCannotBeWrittenIsNamedWithTheProperty() throws Exception {
        Path file = write("file", new byte[0]);
        URL manifest = jar();
        var fault = assertThrows(NativeLibraryException.class, () -> PackagedLibrary.unpack(manifest, file.resolve("below")));
        assertTrue(fault.getMessage().contains(PackagedLibrary.CACHE_PROPERTY), fault.getMessage());
    }

    private URL jar() throws Exception {
        var manifest = new StringBuilder();
        for (var library : libraries.entrySet()) {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(library.getValue());
            manifest.append(HexFormat.of().formatHex(digest)).append("  ").append(library.getKey()).append('\n');
        }
        return jar(manifest.toString());
    }

    private URL jar(String manifest) throws Exception {
        Path jar = Files.createTempFile(folder, "test", ".jar");
        try (var out = new ZipOutputStream(Files.newOutputStream(jar))) {
            for (var library : libraries.entrySet()) {
                out.putNextEntry(new ZipEntry("native/" + library.getKey()));
                out.write(library.getValue());
            }
            out.putNextEntry(new ZipEntry("native/" + PackagedLibrary.MANIFEST));
            out.write(manifest.getBytes());
        }
        return URI.create("jar:" + jar.toUri() + "!/native/" + PackagedLibrary.MANIFEST).toURL();
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private static HashSet<String> names(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            return new HashSet<>(files.map(file -> file.getFileName().toString()).toList());
        }
    }
}
