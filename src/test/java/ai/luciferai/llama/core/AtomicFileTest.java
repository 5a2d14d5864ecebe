package ai.luciferai.llama.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {

    @TempDir
    Path folder;

    private Path target;

    @BeforeEach
    void nameTarget() {
        target = folder.resolve("out.gguf");
    }

    @Test
    void appearsWholeOrNotAtAll() throws IOException {
        try (var out = AtomicFile.create(target, false, List.of())) {
            out.channel().write(ByteBuffer.wrap("new".getBytes()));
            assertFalse(Files.exists(target));
            assertEquals(folder.toRealPath(), out.temporary().getParent().toRealPath());
            out.commit();
            assertTrue(Files.exists(target));
        }
        assertEquals(List.of("new"), contents());
    }

    @Test
    void whatIsNotCommittedIsDeleted() throws IOException {
        assertThrows(IllegalStateException.class, () -> {
            try (var out = AtomicFile.create(target, false, List.of())) {
                out.channel().write(ByteBuffer.wrap("half".getBytes()));
                throw new IllegalStateException("in the middle");
            }
        });
        assertEquals(List.of(), contents());
    }

    @Test
    void cancelledFilesDoNotExist() throws IOException {
        var cancel = new Cancel();
        cancel.request();
        try (var out = AtomicFile.create(target, false, List.of())) {
            assertThrows(CancelledException.class, () -> out.commit(cancel));
        }
        assertEquals(List.of(), contents());
    }

    /** The temporary file's name is shorter: it could be made, and the work done for nothing. */
    @Test
    void namesThatNoFileCanHaveAreRefusedAtOnce() throws IOException {
        Path longName = folder.resolve("x".repeat(300));
        var refused = assertThrows(InvalidOptionException.class, () -> AtomicFile.create(longName, true, List.of()));
        assertTrue(refused.getMessage().contains("xxx: "), refused.getMessage());
        assertFalse(refused.getMessage().contains(".part"), refused.getMessage());
        assertEquals(List.of(), contents());
    }

    @Test
    void existingFilesAreReplacedOnlyWithForce() throws IOException {
        Files.writeString(target, "old");
        refuses("--force replaces it", target, false, List.of());
        try (var out = AtomicFile.create(target, true, List.of())) {
            out.channel().write(ByteBuffer.wrap("new".getBytes()));
            assertEquals("old", Files.readString(target));
            out.commit();
        }
        assertEquals(List.of("new"), contents());
    }

    @Test
    void aMappedOldFileStaysWhole() throws IOException {
        Files.writeString(target, "the old contents");
        try (var old = MappedFile.open(target); var out = AtomicFile.create(target, true, List.of())) {
            out.commit();
            assertEquals('t', old.segment().get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0));
        }
        assertEquals(0, Files.size(target));
    }

    @Test
    void aFileThatCameMeanwhileStays() throws IOException {
        try (var out = AtomicFile.create(target, false, List.of())) {
            Files.writeString(target, "somebody else's");
            assertThrows(InvalidOptionException.class, out::commit);
        }
        assertEquals(List.of("somebody else's"), contents());
    }

    @Test
    void inputsAreNeverOverwritten() throws IOException {
        Files.writeString(target, "input");
        refuses("another file than the input", target, true, List.of(target));
        Path link = Files.createSymbolicLink(folder.resolve("link"), target);
        refuses("another file than the input", link, true, List.of(target));
    }

    @Test
    void foldersAndMissingFoldersAreRefused() {
        refuses("a path for a regular file", folder, true, List.of());
        refuses("a path in an existing folder", folder.resolve("none/out"), false, List.of());
    }

    /** The system's own message is of the temporary file, of which nobody knows, and of no missing input. */
    @Test
    void saysWhichFileCannotBeMade() {
        Path none = Path.of("/proc/out.gguf");
        Assumptions.assumeTrue(Files.isDirectory(Path.of("/proc/self")));
        for (Executable make : List.<Executable>of(() -> AtomicFile.create(none, false, List.of()), () -> Partial.folderBeside(none))) {
            String message = assertThrows(FileSystemException.class, make).getMessage();
            assertTrue(message.startsWith(none + ": ") && !message.contains(".part"), message);
        }
    }

    @Test
    void aLinkThatLeadsNowhereIsReplacedOnlyWithForce() throws IOException {
        Files.createSymbolicLink(target, folder.resolve("nowhere"));
        refuses("a link that leads nowhere", target, false, List.of());
        assertTrue(Files.isSymbolicLink(target));
        try (var out = AtomicFile.create(target, true, List.of())) {
            out.write("new".getBytes());
            out.commit();
        }
        assertEquals(List.of("new"), contents());
    }

    @Test
    void longNamesAreNoHindrance() throws IOException {
        target = folder.resolve("\u00e9".repeat(125) + ".gguf"); // 255 bytes
        try (var out = AtomicFile.create(target, false, List.of())) {
            out.commit();
        }
        assertTrue(Files.exists(target));
    }

    @Test
    void aFolderThatTakesNoFilesIsToldBeforeTheWork() throws IOException {
        Path procfs = Path.of("/proc");
        Assumptions.assumeTrue(Files.isDirectory(procfs.resolve("self")));
        String message = assertThrows(FileSystemException.class,
                () -> AtomicFile.requireUsable(procfs.resolve("out.gguf"), false, List.of())).getMessage();
        assertEquals("/proc/out.gguf: its folder takes no files", message);
        AtomicFile.requireUsable(target, false, List.of());
        assertEquals(List.of(), contents());
    }

    @Test
    void whatCannotBeWrittenNamesTheFile() throws IOException {
        Path full = Path.of("/dev/full"); // every write: no space left on device
        Assumptions.assumeTrue(Files.exists(full));
        try (var channel = new NamedChannel(target, FileChannel.open(full, StandardOpenOption.WRITE))) {
            for (Executable write : List.<Executable>of(() -> channel.write(ByteBuffer.allocate(1)),
                    () -> channel.write(new ByteBuffer[] {ByteBuffer.allocate(1)}))) {
                assertEquals(target + ": No space left on device", assertThrows(FileSystemException.class, write).getMessage());
            }
        }
    }

    @Test
    void whatAKilledProcessLeftIsDeletedByTheNext() throws Exception {
        Process writer = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), Writing.class.getName(), target.toString()).redirectError(Redirect.INHERIT).start();
        try {
            assertEquals("writing", writer.inputReader().readLine());
            assertEquals(2, names().size());
            AtomicFile.create(target, false, List.of()).close();
            assertEquals(2, names().size(), "of a process that lives");
        } finally {
            writer.destroyForcibly().waitFor();
        }
        assertEquals(2, names().size());
        AtomicFile.create(folder.resolve("other.gguf"), false, List.of()).close();
        assertEquals(2, names().size(), "of another file");
        AtomicFile.create(target, false, List.of()).close();
        assertEquals(List.of(), names());
    }

    @Test
    void whatAnotherMachineWritesStaysForADay() throws IOException {
        Path foreign = Files.createFile(folder.resolve(".out.gguf.0123abcd-1-2-3.part"));
        Path nobodys = Files.createFile(folder.resolve(".out.gguf.notes.part"));
        AtomicFile.create(target, false, List.of()).close();
        assertTrue(Files.exists(foreign));
        Files.setLastModifiedTime(foreign, FileTime.from(Instant.now().minus(Duration.ofHours(25))));
        Files.setLastModifiedTime(nobodys, FileTime.from(Instant.EPOCH));
        AtomicFile.create(target, false, List.of()).close();
        assertFalse(Files.exists(foreign));
        assertTrue(Files.exists(nobodys));
    }

    /** Writes a file and a folder for ever. */
    static final class Writing {

        public static void main(String[] args) throws Exception {
            Path target = Path.of(args[0]);
            var out = AtomicFile.create(target, false, List.of());
            out.write("half".getBytes());
            Files.createFile(Partial.folderBeside(target).resolve("part"));
            System.out.println("writing");
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    @Test
    void wantsEnoughSpace() throws IOException {
        DiskSpace.require(target, 1);
        String message = assertThrows(FileSystemException.class, () -> DiskSpace.require(target, 1L << 60)).getMessage();
        assertTrue(message.contains("needs 1.0 EiB") && message.contains("free"), message);
        assertEquals(List.of("5 bytes", "1.0 KiB", "1.5 MiB"),
                List.of(DiskSpace.text(5), DiskSpace.text(1024), DiskSpace.text(3 << 19)));
    }

    private void refuses(String message, Path path, boolean force, List<Path> inputs) {
        String got = assertThrows(InvalidOptionException.class, () -> AtomicFile.create(path, force, inputs).close()).getMessage();
        assertTrue(got.contains(message), got);
    }

    private List<String> names() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    /** Of every file in the folder: nothing temporary may be left. */
    private List<String> contents() throws IOException {
        try (var files = Files.list(folder)) {
            return files.map(file -> {
                try {
                    return Files.readString(file);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            }).toList();
        }
    }
}
