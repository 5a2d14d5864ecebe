package ai.luciferai.llama.bench;

import ai.luciferai.llama.GenerateOptions;
import ai.luciferai.llama.Model;
import ai.luciferai.llama.Prompt;
import ai.luciferai.llama.Sampling;
import ai.luciferai.llama.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Resident memory over many times load, generate, close. Linux only: it reads /proc/self/status. The cycles before the count are for what
 * grows once in every JVM: compiled code, metaspace, the allocator's arenas.
 */
public final class MemoryGrowth {

    private MemoryGrowth() {}

    /** {@code MemoryGrowth CYCLES WARMUP} */
    public static void main(String[] args) throws IOException {
        int cycles = Integer.parseInt(args[0]);
        int warmup = Integer.parseInt(args[1]);
        int step = Math.max(1, cycles / 20);
        List<Long> series = new ArrayList<>();
        cycles(warmup);
        series.add(residentKilobytes());
        for (int i = 0; i < cycles; i += step) {
            cycles(step);
            series.add(residentKilobytes());
        }
        System.out.printf("%nresident memory over %d cycles of load, generate 8 tokens, close, after %d that do not count; KiB, every %d:%n%n%s%n",
                cycles, warmup, step, series);
        int half = series.size() / 2;
        System.out.printf("%nmedian of the first half %.0f KiB, of the second half %.0f KiB%n", median(series.subList(0, half)),
                median(series.subList(half, series.size())));
    }

    private static double median(List<Long> kilobytes) {
        return Run.median(kilobytes.stream().map(Long::doubleValue).toList());
    }

    private static void cycles(int n) {
        var options = GenerateOptions.defaults().withMaxTokens(8).withSampling(Sampling.greedy());
        for (int i = 0; i < n; i++) {
            try (Model model = Model.embedded(); Session session = model.session()) {
                session.complete(Prompt.text("list files in src directory\n"), options);
            }
        }
    }

    private static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", ""))).findFirst().orElseThrow();
    }
}
