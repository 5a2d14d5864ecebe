package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PhaseClockTest {

    private long now;

    @Test
    void leavesOutWhatTheReaderDoesBetweenTokens() {
        PhaseClock clock = new PhaseClock(() -> now);
        step(clock, 5, true);
        now += millis(1_000);
        step(clock, 2, true);
        now += millis(1_000);
        step(clock, 2, true);
        Timings t = clock.timings(10, 3, 3);
        assertEquals(5, t.promptMillis());
        assertEquals(4, t.generationMillis());
        assertEquals(5, t.firstTokenMillis());
        assertEquals(2_000, t.promptTokensPerSecond());
        assertEquals(500, t.generationTokensPerSecond());
        assertEquals(9, t.totalMillis());
    }

    @Test
    void withoutATokenThereIsNoRate() {
        PhaseClock clock = new PhaseClock(() -> now);
        step(clock, 5, false);
        Timings t = clock.timings(10, 0, 0);
        assertEquals(0, t.firstTokenMillis());
        assertEquals(0, t.generationTokensPerSecond());
    }

    private void step(PhaseClock clock, int millis, boolean token) {
        clock.enter();
        now += millis(millis);
        if (token) {
            clock.token();
        }
        clock.leave();
    }

    private static long millis(long n) {
        return n * 1_000_000;
    }
}
