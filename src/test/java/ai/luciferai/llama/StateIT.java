package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A session's state on disk. */
class StateIT {

    private static final String PROMPT = "list files\nls -la\nshow disk usage\n";

    private static Model model;

    @TempDir
    Path folder;

    @BeforeAll
    static void load() {
        model = Tiny.load();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private Path saved() {
        Path file = folder.resolve("a.state");
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.complete(Prompt.text(PROMPT), Tiny.endless().withMaxTokens(5));
            session.save(file);
        }
        return file;
    }

    @Test
    void goesOnWhereItWas() throws IOException {
        Path file = folder.resolve("a.state");
        GenerateOptions options = Tiny.endless().withMaxTokens(12);
        try (Session first = model.session(Tiny.CONTEXT); Session second = model.session(Tiny.CONTEXT)) {
            first.complete(Prompt.text(PROMPT), options);
            first.save(file);
            second.load(file);
            assertArrayEquals(first.tokens(), second.tokens());
            Prompt longer = Prompt.text(PROMPT + "df -h\ngo up\n");
            Completion expected = first.complete(longer, options);
            Completion got = second.complete(longer, options);
            assertArrayEquals(expected.tokenIds(), got.tokenIds());
            assertTrue(got.timings().reusedTokens() > 5, got.timings().toString());
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(List.of(file), files.toList());
            }
        }
    }

    @Test
    void anEmptySessionCanBeSaved() {
        Path file = folder.resolve("empty.state");
        try (Session session = model.session(Tiny.CONTEXT)) {
            session.save(file);
            session.complete(Prompt.text(PROMPT), Tiny.greedy(2));
            session.load(file);
            assertEquals(0, session.tokens().length);
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    @Test
    void aMissingFileAndAFolderAreTyped() {
        try (Session session = model.session(Tiny.CONTEXT)) {
            assertThrows(InvalidFileException.class, () -> session.load(folder.resolve("none")));
            assertThrows(InvalidFileException.class, () -> session.load(folder));
        }
    }

    @Test
    void aDamagedFileIsRefusedWhereverItIsDamaged() throws IOException {
        byte[] good = Files.readAllBytes(saved());
        Path bad = folder.resolve("bad.state");
        long seed = 11;
        Random random = new Random(seed);
        try (Session session = model.session(Tiny.CONTEXT)) {
            for (int i = 0; i < 60; i++) {
                byte[] bytes = i % 2 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : flipped(good, random);
                Files.write(bad, bytes);
                InvalidFileException e = assertThrows(InvalidFileException.class, () -> session.load(bad), "seed " + seed + " " + i);
                assertTrue(e.getMessage().contains("bad.state"), e.getMessage());
            }
            assertEquals("ls", session.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }

    private static byte[] flipped(byte[] good, Random random) {
        byte[] bytes = good.clone();
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 + random.nextInt(255));
        return bytes;
    }

    @Test
    void aStateOfAnotherModelIsRefused() {
        Path file = saved();
        Path other = TestFiles.copy(model.info().path(), folder.resolve("other.gguf"),
                metadata -> metadata.string("general.name", "another finetune of the same shape"));
        try (Model changed = Model.load(other, Tiny.options()); Session session = changed.session(Tiny.CONTEXT)) {
            InvalidFileException e = assertThrows(InvalidFileException.class, () -> session.load(file));
            assertTrue(e.getMessage().contains("another model"), e.getMessage());
        }
    }

    @Test
    void aContextThatIsTooSmallIsRefused() {
        Path file = folder.resolve("long.state");
        int[] prompt = new int[400];
        Arrays.fill(prompt, 9);
        try (Session large = model.session(Tiny.CONTEXT); Session small = model.session(Tiny.CONTEXT.withContextSize(256))) {
            large.complete(Prompt.tokens(prompt), Tiny.greedy(0));
            large.save(file);
            assertThrows(ai.luciferai.llama.core.BridgeException.class, () -> small.load(file));
            assertEquals("ls", small.complete(Prompt.text(Tiny.QUESTION), Tiny.greedy(9)).text());
        }
    }
}
