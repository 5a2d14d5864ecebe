package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TextTrackTest {

    private static final int EOG = 99;
    private static final int THINK = 98;
    private static final int HALF = 97;

    /** Tokens are letters; 97 is half a character, 98 and 99 are control tokens. */
    private static final Vocabulary LETTERS = new Vocabulary() {
        @Override
        public Piece piece(int token, boolean special) {
            return switch (token) {
                case EOG -> special ? piece("</s>") : Piece.EMPTY;
                case THINK -> special ? piece("<think>") : Piece.EMPTY;
                case HALF -> Piece.of(new byte[] {(byte) 0xE2});
                default -> piece(String.valueOf((char) ('a' + token)));
            };
        }

        @Override
        public boolean isEndOfGeneration(int token) {
            return token == EOG;
        }

        @Override
        public int size() {
            return EOG + 1;
        }

        private Piece piece(String text) {
            return Piece.of(text.getBytes(StandardCharsets.UTF_8));
        }
    };

    @Test
    void endsAtAnEndOfGenerationTokenAndReleasesWhatWasHeld() {
        TextTrack track = track(GenerateOptions.defaults(), "bx");
        assertEquals("a", text(track, 0));
        assertEquals("", text(track, 1));
        assertFalse(track.ended());
        assertEquals("b", text(track, EOG));
        Completion c = end(track);
        assertEquals("ab", c.text());
        assertEquals(StopReason.END_OF_GENERATION, c.stopReason());
        assertEquals(3, c.tokens().size());
    }

    @Test
    void endsAtAStopString() {
        TextTrack track = track(GenerateOptions.defaults(), "bc");
        text(track, 0);
        text(track, 1);
        text(track, 2);
        Completion c = end(track);
        assertEquals("a", c.text());
        assertEquals(StopReason.STOP_STRING, c.stopReason());
        assertEquals(Optional.of("bc"), c.stopString());
    }

    @Test
    void endsAtMaxTokensAndReleasesWhatWasHeld() {
        TextTrack track = track(GenerateOptions.defaults().withMaxTokens(2), "bc");
        text(track, 0);
        assertEquals("b", text(track, 1));
        assertEquals(StopReason.MAX_TOKENS, end(track).stopReason());
    }

    @Test
    void aStopStringInTheLastTokenIsAStopString() {
        TextTrack track = track(GenerateOptions.defaults().withMaxTokens(1), "a");
        assertEquals("", text(track, 0));
        assertEquals(StopReason.STOP_STRING, end(track).stopReason());
    }

    @Test
    void zeroTokensIsOverAtOnce() {
        assertTrue(track(GenerateOptions.defaults().withMaxTokens(0)).ended());
    }

    @Test
    void endsWhenTheContextIsFull() {
        TextTrack track = track(GenerateOptions.defaults());
        track.accept(0, Float.NaN, List.of(), false);
        assertEquals(StopReason.CONTEXT_FULL, end(track).stopReason());
    }

    @Test
    void halfACharacterAtTheEndBecomesAReplacement() {
        TextTrack track = track(GenerateOptions.defaults());
        assertEquals("", text(track, HALF));
        assertEquals("\uFFFD", text(track, EOG));
    }

    @Test
    void cancelKeepsTokensAndTextEqual() {
        TextTrack track = track(GenerateOptions.defaults(), "bc");
        text(track, 0);
        text(track, 1);
        track.cancel();
        Completion c = end(track);
        assertEquals("a", c.text());
        assertEquals(StopReason.CANCELLED, c.stopReason());
    }

    @Test
    void preservedControlTokensShowAndOthersDoNot() {
        TextTrack preserved = new TextTrack(GenerateOptions.defaults(), LETTERS, List.of(), id -> id == THINK);
        assertEquals("<think>", text(preserved, THINK));
        assertEquals("", text(track(GenerateOptions.defaults()), THINK));
        assertEquals("<think>", text(track(GenerateOptions.defaults().withRenderSpecial(true)), THINK));
    }

    private static TextTrack track(GenerateOptions options, String... stops) {
        return new TextTrack(options, LETTERS, List.of(stops), id -> false);
    }

    private static String text(TextTrack track, int id) {
        return track.accept(id, Float.NaN, List.of(), true).text();
    }

    private static Completion end(TextTrack track) {
        assertTrue(track.ended());
        return track.completion(0, new Timings(0, 0, 0, 0, 0, 0), 0, () -> false);
    }
}
