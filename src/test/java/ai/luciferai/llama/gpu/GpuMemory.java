package ai.luciferai.llama.gpu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Memory in use on the first card, as nvidia-smi says it; 0 where there is none. Samples in the background for the peak of a step. */
final class GpuMemory {

    private static final long PERIOD_MILLIS = 300;

    private volatile long peak;
    private volatile boolean absent;

    static GpuMemory watch() {
        var memory = new GpuMemory();
        Thread.ofPlatform().daemon().name("gpu-memory").start(() -> {
            while (!memory.absent) {
                memory.peak = Math.max(memory.peak, memory.used());
                try {
                    Thread.sleep(PERIOD_MILLIS);
                } catch (InterruptedException e) {
                    return;
                }
            }
        });
        return memory;
    }

    /** MiB; the highest since the last call. */
    long takePeak() {
        long taken = peak;
        peak = 0;
        return taken;
    }

    /** MiB. */
    long used() {
        try {
            Process smi = new ProcessBuilder("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits").redirectErrorStream(true).start();
            String text = new String(smi.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip().lines().findFirst().orElse("");
            absent = !smi.waitFor(5, TimeUnit.SECONDS) || smi.exitValue() != 0;
            return absent ? 0 : Long.parseLong(text.strip());
        } catch (IOException | InterruptedException | NumberFormatException e) {
            absent = true;
            return 0;
        }
    }
}
