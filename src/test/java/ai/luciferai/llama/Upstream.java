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
    private static final int TRIES = 12;

    private Upstream() {}

    /** What llama-completion answers. */
    record Answer(String text, boolean end) {}

    /** The answer to a recorded command of {@code golden/}, on this machine. */
    static Answer answer(JsonNode golden) {
        List<String> words = words(Goldens.command(golden));
        List<String> arguments = new ArrayList<>(words.subList(1, words.size()));
        arguments.replaceAll(word -> word.equals("lucifer-tiny-f16.gguf") ? EmbeddedModel.path().toString() : word);
        return parse(steady(() -> run("llama-completion", arguments, false), output -> output.strip().length() > 0 && output.endsWith("\n\n")));
    }

    /** The programs sometimes lose what they log last when they end: two equal runs that came to their end are asked for. */
    static <T> T steady(Supplier<T> run, Predicate<T> whole) {
        Set<T> seen = new HashSet<>();
        for (int i = 0; i < TRIES; i++) {
            T output = run.get();
            if (whole.test(output) && !seen.add(output)) {
                return output;
            }
        }
        throw new AssertionError("no two equal runs of llama.cpp's program: " + seen);
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
