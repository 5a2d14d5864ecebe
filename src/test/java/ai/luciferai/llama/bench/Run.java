package ai.luciferai.llama.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs a program and looks at what it prints. */
final class Run {

    private Run() {}

    /** What it prints; its stderr goes nowhere. */
    static String output(String... command) throws IOException, InterruptedException {
        Process process = start(command);
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        if (code != 0) {
            throw new IOException(String.join(" ", command) + " ended with " + code);
        }
        return text;
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

    private static Process start(String... command) throws IOException {
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null"))).start();
    }

    static double median(List<Double> samples) {
        double[] sorted = samples.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int n = sorted.length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }
}
