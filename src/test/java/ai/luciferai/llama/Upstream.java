package ai.luciferai.llama;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * llama.cpp's own programs, built from the same source on the same libraries, run on the machine at hand: sums depend on the CPU's
 * vector width, so that an answer or a digit that one CPU gives is no oracle for another.
 */
final class Upstream {

    private static final String END = " [end of text]\n\n\n";
    private static final int TRIES = 50;

    private Upstream() {}

    /** What llama-completion answers. */
    record Answer(String text, boolean end) {}

    /** The answer to a recorded command of {@code golden/}, on this machine. */
    static Answer answer(JsonNode golden) {
        List<String> words = words(Goldens.command(golden));
        List<String> arguments = new ArrayList<>(words.subList(1, words.size()));
        arguments.replaceAll(word -> word.equals("lucifer-tiny-f16.gguf") ? EmbeddedModel.path().toString() : word);
        Set<String> seen = new HashSet<>();
        // Two line ends are what it prints last. Where the answer has such a place too, only a second run tells that all of it is there.
        return parse(whole(() -> run("llama-completion", arguments, false), output -> !output.isBlank() && output.endsWith("\n\n")
                && (output.endsWith(END) || output.indexOf("\n\n") == output.length() - 2 || !seen.add(output))));
    }

    /** The programs sometimes lose what they log last when they end: a run that came to its end is asked for. */
    static <T> T whole(Supplier<T> run, Predicate<T> whole) {
        T output = null;
        for (int i = 0; i < TRIES; i++) {
            output = run.get();
            if (whole.test(output)) {
                return output;
            }
        }
        throw new AssertionError("no run of llama.cpp's program came to its end: " + output);
    }

    private static Answer parse(String output) {
        if (output.endsWith(END)) {
            return new Answer(output.substring(0, output.length() - END.length()), true);
        }
        if (!output.endsWith("\n\n")) {
            throw new AssertionError("unexpected end of output: " + output);
        }
        return new Answer(output.substring(0, output.length() - 2), false);
    }

    /** Everything that llama-perplexity prints, on one thread. */
    static List<String> perplexity(String... options) {
        return run("llama-perplexity", oneThread(options), true).lines().toList();
    }

    /** llama-imatrix on one thread. */
    static void imatrix(Path out, List<String> options) {
        List<String> all = new ArrayList<>(List.of("-o", out.toString(), "--no-ppl"));
        all.addAll(options);
        run("llama-imatrix", oneThread(all.toArray(String[]::new)), true);
    }

    /** llama-export-lora on one thread. */
    static void exportLora(Path base, Path out, String... adapters) {
        List<String> all = new ArrayList<>(List.of("-m", base.toString(), "-o", out.toString()));
        all.addAll(List.of(adapters));
        run("llama-export-lora", oneThread(all.toArray(String[]::new)), true);
    }

    /** llama-quantize on one thread. */
    static void quantize(Path model, Path out, String type, String... options) {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of(model.toString(), out.toString(), type, "1"));
        run("llama-quantize", all, true);
    }

    /** The ids that llama-tokenize has for the text of a file. */
    static int[] tokenize(Path model, Path text) {
        String ids = run("llama-tokenize", List.of("-m", model.toString(), "-f", text.toString(), "--ids", "--no-escape", "--log-disable"), false);
        return Goldens.ints(Goldens.parse(ids.strip().lines().toList().getLast()));
    }

    private static List<String> oneThread(String... options) {
        List<String> all = new ArrayList<>(List.of("-t", "1"));
        all.addAll(List.of(options));
        return all;
    }

    private static String run(String program, List<String> arguments, boolean withLog) {
        List<String> command = new ArrayList<>(List.of(Goldens.program(program).toString()));
        command.addAll(arguments);
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(withLog)
                    .redirectInput(new File("/dev/null"))
                    .redirectError(withLog ? ProcessBuilder.Redirect.PIPE : ProcessBuilder.Redirect.DISCARD).start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError(command + ": " + out);
            }
            return out;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(command.toString(), e);
        }
    }

    /** The words of a command line as Python's shlex.join quotes them: in single quotes, a single quote itself in double ones. */
    static List<String> words(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        char quote = 0;
        for (char c : line.toCharArray()) {
            if (quote != 0 ? c == quote : c == '\'' || c == '"') {
                quote = quote == 0 ? c : 0;
            } else if (c == ' ' && quote == 0) {
                words.add(word.toString());
                word.setLength(0);
            } else {
                word.append(c);
            }
        }
        words.add(word.toString());
        return words;
    }
}
