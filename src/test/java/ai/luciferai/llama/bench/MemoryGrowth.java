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

/** Resident memory over many times load, generate, close. Linux only: it reads /proc/self/status. */
public final class MemoryGrowth {

    private MemoryGrowth() {}

    /** {@code MemoryGrowth CYCLES} */
    public static void main(String[] args) throws IOException {
        int cycles = Integer.parseInt(args[0]);
        int step = Math.max(1, cycles / 20);
        var options = GenerateOptions.defaults().withMaxTokens(8).withSampling(Sampling.greedy());
        List<Long> series = new ArrayList<>();
        for (int i = 1; i <= cycles; i++) {
            try (Model model = Model.embedded(); Session session = model.session()) {
                session.complete(Prompt.text("list files in src directory\n"), options);
            }
            if (i % step == 0) {
                series.add(residentKilobytes());
            }
        }
        System.out.printf("%nresident memory over %d cycles of load, generate 8 tokens, close; KiB, every %d cycles:%n%n%s%n", cycles, step, series);
        int half = series.size() / 2;
        System.out.printf("%nfrom the middle to the end: %+d KiB, %+.3f KiB a cycle%n", series.getLast() - series.get(half - 1),
                (series.getLast() - series.get(half - 1)) / (double) (cycles - half * step));
    }

    private static long residentKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", ""))).findFirst().orElseThrow();
    }
}
