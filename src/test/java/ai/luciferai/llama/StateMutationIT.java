package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.convert.GeneratedCheckpoint;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.NativeCallException;
import ai.luciferai.llama.core.Progress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * State files that were changed by somebody who knows how to make the checksum right, over every kind of memory: plain, without values
 * (MLA), with a sliding window, with positions of three numbers, recurrent, and both.
 */
class StateMutationIT {

    private static final int TRAILER = 32;
    private static final int HEAD = 12;
    private static final long SEED = 20;
    private static final int MUTANTS = 150;
    /** What counts, positions and ids are set to. */
    private static final int[] WORDS = {0, 1, 2, 3, 7, 64, 256, 4096, 1 << 20, 1 << 30, Integer.MAX_VALUE, Integer.MIN_VALUE, -1, -2};
    private static final ContextOptions CONTEXT = Tiny.CONTEXT.withContextSize(256);

    @TempDir
    Path folder;

    private Model model(String name) throws Exception {
        GeneratedCheckpoint.write(name, folder.resolve(name));
        Path file = folder.resolve(name + ".gguf");
        Convert.run(ConvertOptions.of(folder.resolve(name)).withOutfile(file), Progress.NONE, Cancel.NONE);
        return Model.load(file, Tiny.options());
    }

    private static int[] tokens(Model model, int n, long seed) {
        return new Random(seed).ints(n, 0, model.info().shape().vocabulary()).toArray();
    }

    private static int[] goOn(Session session) {
        int[] next = IntStream.concat(Arrays.stream(session.tokens()), IntStream.of(5)).toArray();
        return session.complete(Prompt.tokens(next), Tiny.endless().withMaxTokens(4)).tokenIds();
    }

    private byte[] saved(Session session) throws Exception {
        Path file = folder.resolve("saved.state");
        session.save(file);
        return Files.readAllBytes(file);
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "gpt2", "deepseek3", "gemma3-text", "gptoss-bf16", "qwen2vl-flat", "mamba", "mamba2", "jamba", "qwen3next",
        "lfm2"})
    void aChangedStateIsRefusedOrIsWhatItSays(String name) throws Exception {
        Random random = new Random(SEED);
        Path file = folder.resolve("mutant.state");
        try (Model model = model(name); Session first = model.session(CONTEXT.withContextSize(ContextOptions.AUTO_SIZE));
                Session second = model.session(CONTEXT.withContextSize(ContextOptions.AUTO_SIZE))) {
            first.complete(Prompt.tokens(tokens(model, 80, 1)), Tiny.endless().withMaxTokens(3));
            byte[] good = saved(first);
            int n = first.tokens().length;
            int[] expected = goOn(first);
            Files.write(file, good);
            second.load(file);
            assertEquals(n, second.tokens().length);
            assertArrayEquals(expected, goOn(second));

            int accepted = 0;
            int[] other = tokens(model, 9, 2);
            second.complete(Prompt.tokens(other), Tiny.endless().withMaxTokens(2));
            byte[] before = saved(second);
            for (int i = 0; i < MUTANTS; i++) {
                byte[] mutant = mutant(good, n, random);
                Files.write(file, mutant);
                String which = name + ", seed " + SEED + ", mutant " + i;
                try {
                    second.load(file);
                    accepted++;
                    assertArrayEquals(mutant, saved(second), which + " is not what was loaded");
                    assertGoesOn(second);
                    Files.write(file, before);
                    second.load(file);
                } catch (InvalidFileException refused) {
                    assertTrue(refused.getMessage().contains("mutant.state"), refused.getMessage());
                    assertArrayEquals(before, saved(second), which + " was refused, and has left its trace: " + refused.getMessage());
                }
            }
            assertTrue(accepted > 0 && accepted < MUTANTS, name + " accepts " + accepted + " of " + MUTANTS);
        }
    }

    /** Numbers of a cache may be any, NaN too. */
    private static void assertGoesOn(Session session) {
        try {
            assertEquals(4, goOn(session).length);
        } catch (NativeCallException e) {
            assertTrue(e.getMessage().contains("logits are not numbers"), e.getMessage());
        }
    }

    /** A state of no tokens is one too, of each kind. */
    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "gemma3-text", "mamba", "jamba", "lfm2"})
    void anEmptyStateIsOne(String name) throws Exception {
        Path file = folder.resolve("empty.state");
        try (Model model = model(name); Session session = model.session(CONTEXT)) {
            session.save(file);
            session.complete(Prompt.tokens(tokens(model, 12, 1)), Tiny.endless().withMaxTokens(1));
            byte[] held = saved(session);
            byte[] empty = Arrays.copyOf(held, held.length - TRAILER);
            ByteBuffer.wrap(empty).order(ByteOrder.LITTLE_ENDIAN).putInt(HEAD - 4, 0);
            Path made = Files.write(folder.resolve("made.state"), sealed(empty, held));
            assertThrows(InvalidFileException.class, () -> session.load(made));
            assertArrayEquals(held, saved(session));
            session.load(file);
            assertEquals(0, session.tokens().length);
        }
    }

    /** A word changed in the head and tokens, among what follows, or anywhere; or a piece cut out or put in. Our own part is right again. */
    private static byte[] mutant(byte[] good, int n, Random random) {
        int end = good.length - TRAILER;
        byte[] state = Arrays.copyOf(good, end);
        int afterTokens = HEAD + 4 * n;
        switch (random.nextInt(8)) {
            case 0 -> state = cut(state, random);
            case 1 -> state = doubled(state, random);
            case 2 -> word(state, 4 * random.nextInt(afterTokens / 4), random);
            case 3 -> state[random.nextInt(end)] ^= (byte) (1 + random.nextInt(255));
            case 4, 5 -> word(state, 4 * random.nextInt(end / 4), random);
            default -> word(state, afterTokens + 4 * random.nextInt(Math.min(400, (end - afterTokens) / 4)), random);
        }
        return sealed(state, good);
    }

    private static void word(byte[] state, int at, Random random) {
        ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).putInt(at, WORDS[random.nextInt(WORDS.length)]);
    }

    private static byte[] cut(byte[] state, Random random) {
        int from = random.nextInt(state.length);
        int to = Math.min(state.length, from + 1 + random.nextInt(64));
        byte[] shorter = Arrays.copyOf(state, state.length - (to - from));
        System.arraycopy(state, to, shorter, from, state.length - to);
        return shorter;
    }

    private static byte[] doubled(byte[] state, Random random) {
        int at = random.nextInt(state.length);
        int length = Math.min(state.length - at, 1 + random.nextInt(64));
        byte[] longer = Arrays.copyOf(state, state.length + length);
        System.arraycopy(state, at, longer, at + length, state.length - at);
        return longer;
    }

    /** With the trailer that fits. */
    private static byte[] sealed(byte[] state, byte[] good) {
        ByteBuffer out = ByteBuffer.allocate(state.length + TRAILER).order(ByteOrder.LITTLE_ENDIAN);
        out.put(state).put(good, good.length - TRAILER, 16).putLong(state.length).putLong(checksum(state));
        return out.array();
    }

    private static long checksum(byte[] state) {
        ByteBuffer bytes = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        long sum = 0xcbf29ce484222325L;
        while (bytes.hasRemaining()) {
            long word = bytes.remaining() >= 8 ? bytes.getLong() : bytes.get() & 0xFF;
            sum = (sum ^ word ^ sum >>> 32) * 0x100000001b3L;
        }
        return sum;
    }

    /** Where each number stands is known for a plain cache: every one is judged. */
    @Test
    void everyCountAndPositionOfAPlainStateIsJudged() throws Exception {
        Path file = folder.resolve("mutant.state");
        try (Model model = model("qwen2"); Session session = model.session(CONTEXT)) {
            session.complete(Prompt.tokens(tokens(model, 12, 1)), Tiny.endless().withMaxTokens(1));
            byte[] good = saved(session);
            int n = session.tokens().length;
            int cells = HEAD + 4 * n;
            int afterCells = cells + 8 + 12 * n;
            assertEquals(n, ByteBuffer.wrap(good).order(ByteOrder.LITTLE_ENDIAN).getInt(cells + 4), "number of cells");
            for (int at = cells; at < afterCells + 20; at++) {
                byte[] state = Arrays.copyOf(good, good.length - TRAILER);
                state[at] ^= (byte) 0x81;
                Files.write(file, sealed(state, good));
                assertThrows(InvalidFileException.class, () -> session.load(file), "byte " + at);
            }
            for (int bad : new int[] {-1, Integer.MIN_VALUE, model.info().shape().vocabulary(), Integer.MAX_VALUE}) {
                byte[] state = Arrays.copyOf(good, good.length - TRAILER);
                ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN).putInt(HEAD + 8, bad);
                Files.write(file, sealed(state, good));
                var e = assertThrows(InvalidFileException.class, () -> session.load(file));
                assertTrue(e.getMessage().contains("token 2 is " + bad), e.getMessage());
            }
            assertArrayEquals(good, saved(session));
        }
    }

    /** The file of the fault that was found: 72 bytes that say they hold 2^30 cells. */
    @Test
    void aSmallFileTakesNoMemory() throws Exception {
        Path file = folder.resolve("mutant.state");
        try (Model model = model("qwen2"); Session session = model.session(CONTEXT)) {
            session.complete(Prompt.tokens(tokens(model, 12, 1)), Tiny.endless().withMaxTokens(1));
            byte[] good = saved(session);
            for (int held : new int[] {0, 1}) {
                ByteBuffer state = ByteBuffer.allocate(28 + 4 * held).order(ByteOrder.LITTLE_ENDIAN);
                state.put(good, 0, 8).putInt(held).position(12 + 4 * held).putInt(1).putInt(1 << 30);
                Files.write(file, sealed(state.array(), good));
                assertThrows(InvalidFileException.class, () -> session.load(file));
            }
        }
    }
}
