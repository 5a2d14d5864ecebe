package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.NativeLibraryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryLookupTest {

    private static final String LIBRARY = System.mapLibraryName("lucifer_llama");

    @TempDir
    Path folder;

    @Test
    void propertyNamesFileOrFolder() throws IOException {
        Path file = Files.createFile(folder.resolve(LIBRARY));
        assertEquals(file, new LibraryLookup(file.toString(), null).find());
        assertEquals(file, new LibraryLookup(folder.toString(), null).find());
    }

    @Test
    void propertyThatNamesNothingIsNotPassedOver() throws IOException {
        checkoutWithLibrary("build/native/dev/lib");
        var fault = assertThrows(NativeLibraryException.class,
                () -> new LibraryLookup(folder.resolve("elsewhere").toString(), folder.resolve("target/classes")).find());
        assertTrue(fault.getMessage().contains(folder.resolve("elsewhere").toString()), fault.getMessage());
        assertTrue(fault.getMessage().contains("-D" + LibraryLookup.PROPERTY), fault.getMessage());
    }

    @Test
    void checkoutIsFoundByItsClassesAndByItsJar() throws IOException {
        Path library = checkoutWithLibrary("build/native/release/lib");
        assertEquals(library, new LibraryLookup(null, folder.resolve("target/classes")).find());
        assertEquals(library, new LibraryLookup(null, folder.resolve("target/lucifer-llama.jar")).find());
    }

    @Test
    void failureListsEveryPlaceAndTheSystem() throws IOException {
        Files.delete(checkoutWithLibrary("build/native/dev/lib"));
        var lookup = new LibraryLookup(null, folder.resolve("target/classes"));
        String message = assertThrows(NativeLibraryException.class, lookup::find).getMessage();
        assertTrue(message.contains(LibraryLookup.platform()), message);
        assertTrue(message.contains(folder.resolve("build/native/dev/lib").toString()), message);
        assertTrue(message.contains(folder.resolve("build/native/release/lib").toString()), message);
        assertTrue(message.contains("packaged resource /native/" + LibraryLookup.platform()), message);
        assertTrue(message.contains("HINT: ") && message.contains(LibraryLookup.PROPERTY), message);
    }

    /** What glibc's loader says of a folder that is mounted noexec, of a library cut short, of one that is missing, of a newer system. */
    @Test
    void remediesAreOfTheCause() {
        String place = "/x/" + LIBRARY + ": ";
        assertTrue(NativeLibrary.remedy(place + "failed to map segment from shared object: Operation not permitted").contains("noexec"));
        for (String damage : List.of("file too short", "invalid ELF header", "ELF file's phentsize not the expected size",
                "cannot read file data: Is a directory", "object file has no loadable segments")) {
            assertTrue(NativeLibrary.remedy(place + damage).contains("damaged"), damage);
        }
        assertTrue(NativeLibrary.remedy("libggml.so: cannot open shared object file: No such file or directory").contains("missing"));
        assertTrue(NativeLibrary.remedy("/lib/libc.so.6: version `GLIBC_2.99' not found").contains("newer system"));
    }

    @Test
    void systemsHaveOneNameEach() {
        assertEquals("macos", LibraryLookup.os("Mac OS X"));
        assertEquals("windows", LibraryLookup.os("Windows 11"));
        assertEquals("linux", LibraryLookup.os("Linux"));
        assertEquals("x86_64", LibraryLookup.arch("amd64"));
        assertEquals("aarch64", LibraryLookup.arch("arm64"));
        assertEquals("riscv64", LibraryLookup.arch("riscv64"));
    }

    private Path checkoutWithLibrary(String buildFolder) throws IOException {
        Files.createDirectories(folder.resolve("native/include"));
        Files.createFile(folder.resolve("native/include/lucifer_llama.h"));
        Files.createDirectories(folder.resolve("target/classes"));
        Path lib = Files.createDirectories(folder.resolve(buildFolder));
        return Files.createFile(lib.resolve(LIBRARY));
    }
}
