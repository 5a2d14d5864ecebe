package ai.luciferai.llama.bench;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Runs a program and looks at what it prints. */
final class Run {

    private Run() {}

    /** What each prints; its stderr goes nowhere. They run at once, but only one at any time: the others are stopped until its turn ends. */
    static List<String> inTurn(int turnMillis, List<List<String>> commands) throws IOException, InterruptedException {
        List<Process> all = new ArrayList<>();
        try (var readers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> printed = new ArrayList<>();
            for (List<String> command : commands) {
                Process process = start(command.toArray(String[]::new));
                all.add(process);
                printed.add(readers.submit(() -> new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)));
                signal("STOP", process);
            }
            while (all.stream().anyMatch(Process::isAlive)) {
                for (Process process : all.stream().filter(Process::isAlive).toList()) {
                    signal("CONT", process);
                    process.waitFor(turnMillis, TimeUnit.MILLISECONDS);
                    signal("STOP", process);
                }
            }
            return texts(commands, all, printed);
        } finally {
            all.forEach(Process::destroyForcibly);
        }
    }

    private static List<String> texts(List<List<String>> commands, List<Process> ended, List<Future<String>> printed)
            throws IOException, InterruptedException {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < ended.size(); i++) {
            String text = text(printed.get(i));
            if (ended.get(i).exitValue() != 0 || text.isBlank()) {
                throw new IOException(String.join(" ", commands.get(i)) + " ended with " + ended.get(i).exitValue()
                        + (text.isBlank() ? " and printed nothing" : ""));
            }
            texts.add(text);
        }
        return texts;
    }

    private static String text(Future<String> printed) throws IOException, InterruptedException {
        try {
            return printed.get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        }
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).redirectError(ProcessBuilder.Redirect.DISCARD).start().waitFor();
    }

    /** Milliseconds from the start to the first byte that it prints; NaN when it prints nothing. */
    static double millisToFirstByte(String... command) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process process = start(command);
        try (InputStream out = process.getInputStream()) {
            int first = out.read();
            double millis = (System.nanoTime() - start) / 1e6;
            out.readAllBytes();
            process.waitFor();
            return first < 0 ? Double.NaN : millis;
        }
    }

    /** Seconds from start to end, and the most memory that the process held. */
    record Cost(double seconds, long peakBytes) {}

    /** Runs to the end; what it prints goes nowhere. */
    static Cost cost(String... command) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).start();
        long peak = 0;
        while (!process.waitFor(10, TimeUnit.MILLISECONDS)) {
            peak = Math.max(peak, peak(process.pid()));
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        if (process.exitValue() != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + process.exitValue());
        }
        return new Cost(seconds, peak);
    }

    /** The high water mark never falls: the last one read misses at most the last hundredth of a second. */
    private static long peak(long pid) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/" + pid + "/status"))) {
            return lines.filter(l -> l.startsWith("VmHWM:")).mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) * 1024).findFirst().orElse(0);
        } catch (IOException | UncheckedIOException e) {
            return 0; // it has just ended
        }
    }

    private static Process start(String... command) throws IOException {
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).start();
    }

    static double median(List<Double> samples) {
        double[] sorted = samples.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int n = sorted.length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }
}
