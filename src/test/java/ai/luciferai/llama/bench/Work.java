package ai.luciferai.llama.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Wall time and peak memory of whole runs against llama.cpp's tools; the two run in turn. */
public final class Work {

    private static final double MIB = 1024 * 1024;

    private Work() {}

    /**
     * {@code Work quantize FOLDER_OF_TOOLS LAUNCHER MODEL TYPE THREADS ROUNDS} or
     * {@code Work evaluate|imatrix FOLDER_OF_TOOLS LAUNCHER MODEL TEXT CHUNKS THREADS ROUNDS}.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        String tools = args[1];
        String us = args[2];
        String model = args[3];
        Path out = Files.createTempFile(Path.of(model).toAbsolutePath().getParent(), "bench", ".gguf");
        try {
            switch (args[0]) {
                case "quantize" -> compare("quantize to " + args[4], model, out, args[5], Integer.parseInt(args[6]),
                        new String[] {tools + "/llama-quantize", model, out.toString(), args[4], args[5]},
                        new String[] {us, "quantize", model, out.toString(), args[4], args[5], "--force", "-q"});
                case "evaluate" -> compare("perplexity of " + args[5] + " chunks of 512", model, out, args[6], Integer.parseInt(args[7]),
                        new String[] {tools + "/llama-perplexity", "-m", model, "-f", args[4], "--chunks", args[5], "-t", args[6]},
                        new String[] {us, "evaluate", model, "-f", args[4], "--chunks", args[5], "-t", args[6], "-q"});
                case "imatrix" -> compare("importance matrix of " + args[5] + " chunks of 512", model, out, args[6], Integer.parseInt(args[7]),
                        new String[] {tools + "/llama-imatrix", "-m", model, "-f", args[4], "--chunks", args[5], "-t", args[6], "-o", out.toString()},
                        new String[] {us, "imatrix", model, "-f", args[4], "--chunks", args[5], "-t", args[6], "-o", out.toString(), "--force", "-q"});
                default -> throw new IllegalArgumentException(args[0]);
            }
        } finally {
            Files.deleteIfExists(out);
        }
    }

    /** Each run makes {@code out} anew: replacing a file, some file systems write to disk before they go on. */
    private static void compare(String what, String model, Path out, String threads, int rounds, String[] theirs, String[] ours)
            throws IOException, InterruptedException {
        var a = new ArrayList<Run.Cost>();
        var b = new ArrayList<Run.Cost>();
        for (int round = 0; round < rounds; round++) {
            Files.deleteIfExists(out);
            a.add(Run.cost(theirs));
            Files.deleteIfExists(out);
            b.add(Run.cost(ours));
        }
        System.out.printf("%n%s, %s, %s threads, %d rounds in turn%n%n", what, Path.of(model).getFileName(), threads, rounds);
        System.out.println("| | llama.cpp's tool | lucifer-llama | ratio |");
        System.out.println("| --- | ---: | ---: | ---: |");
        row("median, s", Run.median(seconds(a)), Run.median(seconds(b)));
        row("best, s", seconds(a).stream().min(Double::compare).orElseThrow(), seconds(b).stream().min(Double::compare).orElseThrow());
        row("peak memory, MiB", peak(a), peak(b));
    }

    private static List<Double> seconds(List<Run.Cost> costs) {
        return costs.stream().map(Run.Cost::seconds).toList();
    }

    private static double peak(List<Run.Cost> costs) {
        return costs.stream().mapToLong(Run.Cost::peakBytes).max().orElseThrow() / MIB;
    }

    private static void row(String name, double theirs, double ours) {
        System.out.printf("| %s | %.1f | %.1f | %.3f |%n", name, theirs, ours, ours / theirs);
    }
}
