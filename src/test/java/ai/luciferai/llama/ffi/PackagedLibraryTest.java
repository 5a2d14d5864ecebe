package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.NativeLibraryException;
import ai.luciferai.llama.core.UserCache;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
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
        cache = folder.resolve("a cache \u00e9");
        System.setProperty(UserCache.PROPERTY, cache.toString());
        libraries.put("libfirst.so", new byte[100_000]);
        libraries.put("libsecond-x86+v3.so", new byte[] {1, 2, 3});
    }

    @AfterEach
    void forgetCache() {
        System.clearProperty(UserCache.PROPERTY);
    }

    @Test
    void unpacksOnceWhatTheManifestLists() throws Exception {
        URL manifest = jar();
        Path unpacked = unpack(manifest);
        assertHoldsLibraries(unpacked);
        Object before = inode(unpacked.resolve("libfirst.so"));
        assertEquals(unpacked, unpack(manifest));
        assertEquals(before, inode(unpacked.resolve("libfirst.so")), "was unpacked again");
        assertEquals(1, names(cache).size(), "leftovers beside " + unpacked);
    }

    @Test
    void otherContentsGetAnotherFolder() throws Exception {
        Path first = unpack(jar());
        libraries.put("libfirst.so", new byte[] {4});
        assertNotEquals(first, unpack(jar()));
    }

    @Test
    void manyAtOnceAgreeOnOneWholeFolder() throws Exception {
        URL manifest = jar();
        try (var threads = Executors.newFixedThreadPool(8)) {
            var found = new HashSet<Path>();
            for (var folderOfOne : threads.invokeAll(Collections.nCopies(8, (Callable<Path>) () -> unpack(manifest)))) {
                found.add(folderOfOne.get());
            }
            assertEquals(1, found.size());
            assertHoldsLibraries(found.iterator().next());
            assertEquals(1, names(cache).size(), "leftovers");
        }
    }

    /** What a disk that was full, a machine that lost power or a careless hand leaves. */
    @Test
    void whatIsMissingCutShortOrChangedIsReplacedAtTheNextStart() throws Exception {
        URL manifest = jar();
        Path file = unpack(manifest).resolve("libfirst.so");
        byte[] changed = libraries.get("libfirst.so").clone();
        changed[5] = 1;
        for (byte[] bytes : new byte[][] {null, {}, new byte[99_999], changed}) {
            Object before = inode(file);
            if (bytes == null) {
                Files.delete(file);
            } else {
                Files.write(file, bytes);
                Files.setLastModifiedTime(file, FileTime.from(Instant.now().plusSeconds(10)));
            }
            assertHoldsLibraries(unpack(manifest));
            assertTrue(bytes == null || !before.equals(inode(file)), "written into a file that another process may have mapped");
        }
    }

    /** A change that neither size nor time shows is found once the library cannot be loaded. */
    @Test
    void whatCannotBeLoadedIsComparedAndReplaced() throws Exception {
        URL manifest = jar();
        Path file = unpack(manifest).resolve("libfirst.so");
        assertFalse(new PackagedLibrary(manifest).mend());
        FileTime time = Files.getLastModifiedTime(file);
        byte[] changed = libraries.get("libfirst.so").clone();
        changed[5] = 1;
        Files.write(file, changed);
        Files.setLastModifiedTime(file, time);
        assertEquals(file.getParent(), unpack(manifest));
        assertEquals(1, Files.readAllBytes(file)[5]);
        assertTrue(new PackagedLibrary(manifest).mend());
        assertHoldsLibraries(file.getParent());
    }

    @Test
    void anUnpackingThatWasInterruptedIsFinished() throws Exception {
        URL manifest = jar();
        Path unpacked = unpack(manifest);
        Files.delete(unpacked.resolve(".sealed"));
        Files.delete(unpacked.resolve("libsecond-x86+v3.so"));
        assertHoldsLibraries(unpack(manifest));
    }

    @Test
    void damagedLibraryIsRefusedAndLeavesNothing() throws Exception {
        URL manifest = jar("0".repeat(64) + "  libfirst.so\n");
        var fault = assertThrows(NativeLibraryException.class, () -> unpack(manifest));
        assertTrue(fault.getMessage().contains("libfirst.so is damaged"), fault.getMessage());
        try (var files = Files.walk(cache)) {
            assertEquals(List.of(), files.filter(Files::isRegularFile).toList());
        }
    }

    @Test
    void nameThatLeavesTheFolderIsRefused() throws Exception {
        URL manifest = jar("0".repeat(64) + "  ../libfirst.so\n");
        var fault = assertThrows(NativeLibraryException.class, () -> unpack(manifest));
        assertTrue(fault.getMessage().contains("not a line of MANIFEST.sha256"), fault.getMessage());
    }

    @Test
    void folderThatCannotBeWrittenIsNamedWithTheProperty() throws Exception {
        Path file = write("file", new byte[0]);
        URL manifest = jar();
        for (String place : List.of(file.resolve("below").toString(), file.toString(), "/proc/none", "a\0b")) {
            System.setProperty(UserCache.PROPERTY, place);
            var fault = assertThrows(NativeLibraryException.class, () -> unpack(manifest));
            assertTrue(fault.getMessage().contains(place) && fault.getMessage().contains(UserCache.PROPERTY), fault.getMessage());
        }
    }

    @Test
    void aUserWithoutAHomeIsToldSo() throws Exception {
        Assumptions.assumeTrue(System.getenv("XDG_CACHE_HOME") == null);
        URL manifest = jar();
        System.clearProperty(UserCache.PROPERTY);
        String home = System.setProperty("user.home", "?"); // what the JVM says where the system knows none
        try {
            var fault = assertThrows(NativeLibraryException.class, () -> unpack(manifest));
            assertTrue(fault.getMessage().contains("no home folder") && fault.getMessage().contains(UserCache.PROPERTY), fault.getMessage());
        } finally {
            System.setProperty("user.home", home);
        }
    }

    private static Path unpack(URL manifest) {
        return new PackagedLibrary(manifest).unpacked();
    }

    private void assertHoldsLibraries(Path unpacked) throws IOException {
        var expected = new HashSet<>(libraries.keySet());
        expected.add(".sealed");
        assertEquals(expected, names(unpacked));
        for (var library : libraries.entrySet()) {
            assertArrayEquals(library.getValue(), Files.readAllBytes(unpacked.resolve(library.getKey())), library.getKey());
        }
    }

    private static Object inode(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
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
