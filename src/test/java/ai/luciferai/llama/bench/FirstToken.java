package ai.luciferai.llama.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Time from the start of the process to the first byte of the answer, against llama-completion; the two run in turn. */
public final class FirstToken {

    private FirstToken() {}

    /** {@code FirstToken LLAMA_COMPLETION LAUNCHER MODEL ROUNDS} */
    public static void main(String[] args) throws IOException, InterruptedException {
        String model = args[2];
        int rounds = Integer.parseInt(args[3]);
        String[] theirCommand = {args[0], "-m", model, "-p", "list files in src directory\n", "--temp", "0", "-n", "8", "-t", "1", "-no-cnv", "--no-display-prompt"};
        String[] ourCommand = {args[1], "generate", "-m", model, "-p", "list files in src directory\n", "--temp", "0", "-n", "8", "-t", "1", "--no-display-prompt"};
        List<Double> theirs = new ArrayList<>();
        List<Double> ours = new ArrayList<>();
        for (int round = -1; round < rounds; round++) { // the first round fills the page cache
            double a = Run.millisToFirstByte(theirCommand);
            double b = Run.millisToFirstByte(ourCommand);
            if (round >= 0 && !Double.isNaN(a) && !Double.isNaN(b)) { // llama-completion now and then loses its output at exit
                theirs.add(a);
                ours.add(b);
            }
        }
        double a = Run.median(theirs);
        double b = Run.median(ours);
        System.out.printf("%nstart of the process to first byte of the answer, %s, median of %d%n%n", Path.of(model).getFileName(), ours.size());
        System.out.println("| llama-completion, ms | lucifer-llama generate, ms | difference, ms |");
        System.out.println("| ---: | ---: | ---: |");
        System.out.printf("| %.0f | %.0f | %.0f |%n", a, b, b - a);
    }
}
