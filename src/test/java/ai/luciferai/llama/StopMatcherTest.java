package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopMatcherTest {

    @Test
    void releasesEverythingWithoutStops() {
        StopMatcher matcher = new StopMatcher(List.of());
        assertEquals("abc", matcher.feed("abc"));
        assertEquals("", matcher.end());
    }

    @Test
    void findsAStopAcrossPiecesAndReleasesNothingOfIt() {
        StopMatcher matcher = new StopMatcher(List.of("</end>"));
        assertEquals("x", matcher.feed("x<"));
        assertEquals("", matcher.feed("/en"));
        assertEquals("", matcher.feed("d>y"));
        assertEquals("</end>", matcher.matched());
        assertEquals("", matcher.end());
    }

    @Test
    void releasesHeldTextOnceItIsNoStop() {
        StopMatcher matcher = new StopMatcher(List.of("</end>"));
        assertEquals("", matcher.feed("</e"));
        assertEquals("</em>", matcher.feed("m>"));
        assertNull(matcher.matched());
    }

    @Test
    void releasesHeldTextAtTheEnd() {
        StopMatcher matcher = new StopMatcher(List.of("stop"));
        assertEquals("a ", matcher.feed("a st"));
        assertEquals("st", matcher.end());
    }

    @Test
    void holdsBackTheLongestPossibleBeginning() {
        StopMatcher matcher = new StopMatcher(List.of("aab"));
        assertEquals("a", matcher.feed("aaa"));
        assertEquals("", matcher.feed("b"));
        assertEquals("aab", matcher.matched());
    }

    @Test
    void theStopThatEndsFirstWinsAndThenTheLongest() {
        StopMatcher first = new StopMatcher(List.of("abcde", "bcd"));
        assertEquals("a", first.feed("abcde"));
        assertEquals("bcd", first.matched());
        StopMatcher longest = new StopMatcher(List.of("cd", "bcd"));
        assertEquals("a", longest.feed("abcd"));
        assertEquals("bcd", longest.matched());
    }

    @Test
    void resultDoesNotDependOnWhereThePiecesAreCut() {
        long seed = 20261122;
        Random random = new Random(seed);
        for (int round = 0; round < 5_000; round++) {
            String text = word(random, 12);
            List<String> stops = List.of(word(random, 3), word(random, 4));
            assertEquals(run(stops, List.of(text)), run(stops, cut(text, random)), "seed " + seed + " round " + round);
        }
    }

    @Test
    void releasedTextIsAlwaysTheTextBeforeTheFirstStop() {
        StopMatcher matcher = new StopMatcher(List.of("\n\n"));
        StringBuilder out = new StringBuilder();
        for (String piece : List.of("one\n", "two\n", "\nthree")) {
            if (matcher.matched() == null) {
                out.append(matcher.feed(piece));
            }
        }
        assertEquals("one\ntwo", out.toString());
        assertTrue(matcher.matched() != null);
    }

    private static String run(List<String> stops, List<String> pieces) {
        StopMatcher matcher = new StopMatcher(stops);
        StringBuilder out = new StringBuilder();
        for (String piece : pieces) {
            if (matcher.matched() == null) {
                out.append(matcher.feed(piece));
            }
        }
        return out.append(matcher.end()) + "|" + matcher.matched();
    }

    private static String word(Random random, int most) {
        StringBuilder word = new StringBuilder();
        int length = 1 + random.nextInt(most);
        for (int i = 0; i < length; i++) {
            word.append((char) ('a' + random.nextInt(2)));
        }
        return word.toString();
    }

    private static List<String> cut(String text, Random random) {
        List<String> pieces = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            int next = at + 1 + random.nextInt(text.length() - at);
            pieces.add(text.substring(at, next));
            at = next;
        }
        return pieces;
    }
}
