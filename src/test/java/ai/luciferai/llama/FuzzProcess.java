package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Runs a fuzzer in a JVM of its own, which may die, hang or run out of memory: it says on stdout what it is about to do, and "done …" when
 * all is done. Anything else fails the test with its last words.
 */
public final class FuzzProcess {

    private FuzzProcess() {}

    /**
     * @param silence most seconds between two words of the child
     * @return its last line
     */
    public static String run(Class<?> main, Path folder, int silence, List<String> jvmOptions, List<String> arguments) throws Exception {
        Path errors = folder.resolve("stderr");
        var command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED", "-XX:-CreateCoredumpOnCrash", "-XX:ErrorFile=" + folder.resolve("hs_err.log")));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), main.getName()));
        command.addAll(arguments);
        Process child = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        try {
            List<String> last = follow(child, silence);
            child.waitFor(10, TimeUnit.SECONDS);
            boolean ended = !last.isEmpty() && last.getLast().startsWith("done ") && !child.isAlive() && child.exitValue() == 0;
            assertTrue(ended, () -> "the child process did not survive, its last words:\n" + String.join("\n", last) + "\n" + tail(errors));
            return last.getLast();
        } finally {
            child.destroyForcibly().waitFor();
        }
    }

    /** The last lines of the child; it is ended when it falls silent. */
    private static List<String> follow(Process child, int silence) throws InterruptedException {
        var lines = new LinkedBlockingQueue<Optional<String>>(); // nothing: the end
        Thread.ofVirtual().start(() -> {
            try (BufferedReader out = child.inputReader()) {
                out.lines().forEach(line -> lines.add(Optional.of(line)));
            } catch (IOException | UncheckedIOException gone) {
                lines.add(Optional.of("(" + gone + ")"));
            }
            lines.add(Optional.empty());
        });
        List<String> last = new ArrayList<>();
        while (true) {
            Optional<String> line = lines.poll(silence, TimeUnit.SECONDS);
            if (line == null) {
                last.add("nothing for " + silence + " seconds: it hangs");
                child.destroyForcibly();
                return last;
            }
            if (line.isEmpty()) {
                return last;
            }
            last.add(line.get());
            if (last.size() > 6) {
                last.removeFirst();
            }
        }
    }

    private static String tail(Path errors) {
        try {
            String text = Files.readString(errors);
            return text.substring(Math.max(0, text.length() - 6000));
        } catch (IOException e) {
            return "";
        }
    }
}
