package ai.luciferai.llama.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** A run of the command inside this JVM: its exit code and what it printed. */
record CliRun(int code, String out, String err) {

    static CliRun of(String... words) {
        return withInput("", words);
    }

    static CliRun withInput(String input, String... words) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        int code = Main.run(words, new Environment(bytes(input), out, new PrintStream(err, true, StandardCharsets.UTF_8), false));
        return new CliRun(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** Streams of which only stdin has something. */
    static Environment environment(String input) {
        return new Environment(bytes(input), new ByteArrayOutputStream(), new PrintStream(new ByteArrayOutputStream()), false);
    }

    private static ByteArrayInputStream bytes(String input) {
        return new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
    }
}
