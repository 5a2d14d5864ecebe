package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Utf8StreamTest {

    @Test
    void holdsACharacterUntilItIsWhole() {
        Utf8Stream stream = new Utf8Stream();
        byte[] face = "😀".getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < 3; i++) {
            assertEquals("", stream.feed(new byte[] {face[i]}));
        }
        assertEquals("😀", stream.feed(new byte[] {face[3]}));
        assertEquals("", stream.end());
    }

    @Test
    void showsAnIncompleteCharacterAsReplacementAtTheEnd() {
        Utf8Stream stream = new Utf8Stream();
        assertEquals("a", stream.feed(new byte[] {'a', (byte) 0xE2, (byte) 0x82}));
        assertEquals("\uFFFD", stream.end());
        assertEquals("", stream.end());
    }

    @Test
    void showsInvalidBytesAsReplacement() {
        Utf8Stream stream = new Utf8Stream();
        assertEquals("\uFFFDa", stream.feed(new byte[] {(byte) 0xFF, 'a'}));
        assertEquals("", stream.feed(new byte[] {(byte) 0xE2}));
        assertEquals("\uFFFDb", stream.feed(new byte[] {'b'}));
    }

    @Test
    void wholePiecesAreNotDecodedAgain() {
        Utf8Stream stream = new Utf8Stream();
        Piece piece = Piece.of("whole".getBytes(StandardCharsets.UTF_8));
        assertSame(piece.text(), stream.feed(piece));
        assertFalse(Piece.of(new byte[] {(byte) 0xE2}).isWhole());
    }

    @Test
    void anyCutGivesTheSameText() {
        long seed = 7;
        Random random = new Random(seed);
        for (int round = 0; round < 2_000; round++) {
            byte[] bytes = randomText(random).getBytes(StandardCharsets.UTF_8);
            Utf8Stream stream = new Utf8Stream();
            StringBuilder out = new StringBuilder();
            for (int at = 0, next; at < bytes.length; at = next) {
                next = Math.min(bytes.length, at + 1 + random.nextInt(4));
                out.append(stream.feed(Piece.of(Arrays.copyOfRange(bytes, at, next))));
            }
            assertEquals(new String(bytes, StandardCharsets.UTF_8), out + stream.end(), "seed " + seed + " round " + round);
        }
    }

    private static String randomText(Random random) {
        StringBuilder text = new StringBuilder();
        int[] alphabet = {'a', 0xE9, 0x20AC, 0x1F600};
        for (int i = 0; i < 10; i++) {
            text.appendCodePoint(alphabet[random.nextInt(alphabet.length)]);
        }
        return text.toString();
    }
}
