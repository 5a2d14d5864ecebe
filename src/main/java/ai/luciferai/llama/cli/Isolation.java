package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A verb in a JVM of its own ({@code --isolate}). A failed assertion inside a running computation can only end its process; here that
 * becomes a message and exit code {@value ExitCode#NATIVE} of a process that lives.
 */
final class Isolation {

    static final String OPTION = "--isolate";

    /** Says to the process that does the work that this one watches over the time it takes to end. */
    private static final String WATCHED = "ai.luciferai.llama.watched";

    private static final List<Integer> OURS = List.of(ExitCode.OK, ExitCode.INTERNAL, ExitCode.USAGE, ExitCode.INPUT_FILE,
            ExitCode.UNSUPPORTED, ExitCode.NATIVE, ExitCode.CANCELLED, ExitCode.READER_GONE);

    private Isolation() {}

    /** Runs the same words, but for {@value #OPTION}, on the same streams. */
    static int run(String[] args, Environment environment) throws IOException {
        Process child = new ProcessBuilder(command(args)).inheritIO().start();
        environment.onAbandon(child::destroyForcibly);
        int code = await(child, environment);
        if (OURS.contains(code)) {
            return code;
        }
        environment.err().println("error: the process that did the work ended with code " + code
                + (code > 128 ? ", by signal " + (code - 128) : "") + System.lineSeparator()
                + "HINT: its last words stand above; a fault of llama.cpp or of a driver: other options or another device may avoid it");
        return ExitCode.NATIVE;
    }

    private static List<String> command(String[] args) {
        String classes = System.getProperty("java.class.path", "");
        if (classes.isEmpty()) {
            throw new UnsupportedModelException(OPTION, "start", "a class path", "a module path");
        }
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + Path.of(System.getProperty("java.io.tmpdir"), "lucifer-llama-%p.log")));
        System.getProperties().stringPropertyNames().stream().filter(name -> name.startsWith("ai.luciferai.llama."))
                .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
        command.add("-D" + WATCHED + "=true");
        String options = System.getenv("LUCIFER_LLAMA_OPTS");
        if (options != null && !options.isBlank()) {
            command.addAll(List.of(options.strip().split("\\s+")));
        }
        command.addAll(List.of("-cp", classes, Main.class.getName()));
        for (String word : args) {
            if (!word.equals(OPTION)) {
                command.add(word);
            }
        }
        return command;
    }

    /** Whether this is a process that does the work of another. */
    static boolean watched() {
        return Boolean.getBoolean(WATCHED);
    }

    /** Ctrl-C reaches the child by itself; what only this process is told, it passes on. */
    private static int await(Process child, Environment environment) {
        try {
            while (!child.waitFor(100, TimeUnit.MILLISECONDS)) {
                if (environment.cancel().requested()) {
                    child.destroy();
                    child.waitFor();
                }
            }
        } catch (InterruptedException e) {
            child.destroyForcibly();
            Thread.currentThread().interrupt();
            return ExitCode.CANCELLED;
        }
        return environment.cancel().requested() ? ExitCode.CANCELLED : child.exitValue();
    }
}
