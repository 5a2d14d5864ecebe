package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Progress.Event;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressLineTest {

    private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
    private long millis;

    private ProgressLine line(boolean terminal) {
        return new ProgressLine(new PrintStream(shown, true, StandardCharsets.UTF_8), terminal, () -> millis * 1_000_000);
    }

    private String text() {
        return shown.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shortWorkIsNotShown() {
        try (ProgressLine line = line(true)) {
            line.update(new Event("load", 0, 100, "bytes"));
            millis = 400;
            line.update(new Event("load", 100, 100, "bytes"));
        }
        assertEquals("", text());
    }

    @Test
    void terminalLineIsRedrawnWithRateAndTimeLeftAndTakenAway() {
        try (ProgressLine line = line(true)) {
            line.update(new Event("load", 0, 4_000_000, "bytes"));
            millis = 1000;
            line.update(new Event("load", 1_000_000, 4_000_000, "bytes"));
        }
        assertEquals("\rload  25%  1.0 of 4.0 MB  1.0 MB/s  ETA 0:03\033[K\r\033[K", text());
    }

    @Test
    void terminalLineIsNotRedrawnMoreThanTenTimesASecond() {
        try (ProgressLine line = line(true)) {
            for (; millis <= 1500; millis++) {
                line.update(new Event("load", millis, 10_000, "bytes"));
            }
        }
        assertEquals(11 + 1, text().split("\r", -1).length - 1);
    }

    @Test
    void elsewherePlainLinesComeNowAndThen() {
        try (ProgressLine line = line(false)) {
            for (; millis <= 11_000; millis += 100) {
                line.update(new Event("generate", millis / 100, 200, "prompts"));
            }
        }
        assertEquals(3, text().lines().count(), text());
        assertTrue(text().startsWith("generate   2%  5 of 200 prompts  10 prompts/s  ETA 0:20\n"), text());
    }

    @Test
    void thousandthsAreShownAsPercentOnly() {
        try (ProgressLine line = line(false)) {
            line.update(new Event("load", 0, 1000, "thousandths"));
            millis = 1000;
            line.update(new Event("load", 500, 1000, "thousandths"));
        }
        assertEquals("load  50%  ETA 0:01\n", text());
    }

    @Test
    void metricsAreShown() {
        try (ProgressLine line = line(false)) {
            line.update(new Event("train", 0, -1, "steps", Map.of()));
            millis = 2000;
            line.update(new Event("train", 4, -1, "steps", Map.of("loss", 1.25)));
        }
        assertEquals("train  4 steps  2.0 steps/s  loss 1.250\n", text());
    }

    @Test
    void silentOneSaysNothing() {
        try (ProgressLine line = new ProgressLine(null, true, () -> millis * 1_000_000)) {
            line.update(new Event("load", 0, 10, "bytes"));
            millis = 60_000;
            line.update(new Event("load", 5, 10, "bytes"));
        }
        assertEquals("", text());
    }

    @Test
    void durationsHaveHoursWhenTheyNeedThem() {
        assertEquals("0:07", ProgressLine.duration(7));
        assertEquals("1:01:01", ProgressLine.duration(3661));
    }
}
