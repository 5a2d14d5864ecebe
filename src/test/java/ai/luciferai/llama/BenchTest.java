package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTest {

    @Test
    void deviationIsThatOfASample() {
        assertEquals(2, BenchRunner.mean(List.of(1.0, 2.0, 3.0)));
        assertEquals(1, BenchRunner.deviation(List.of(1.0, 2.0, 3.0)), 1e-12);
        assertEquals(0, BenchRunner.deviation(List.of(5.0)));
    }

    @Test
    void readsTheHighWaterMark() {
        assertEquals(2048L * 1024, PeakMemory.parse("Name:\tjava\nVmHWM:\t    2048 kB\nVmRSS:\t 10 kB\n"));
        assertEquals(PeakMemory.UNKNOWN, PeakMemory.parse("nothing"));
    }
}
