package ai.luciferai.llama.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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
        String name = "n".repeat(240) + ".gguf";
        String message = assertThrows(FileSystemException.class, () -> AtomicFile.create(folder.resolve(name), false, List.of())).getMessage();
        assertTrue(message.startsWith(folder.resolve(name) + ": ") && !message.contains(".part"), message);
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
