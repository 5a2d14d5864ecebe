package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.gguf.CorruptFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No file may end the process: the catalogue of damaged files, and mutants, through {@link Info} and {@link Model#load}. The seed is
 * fixed, so that a build says the same twice; {@code -Dfuzz.seed} looks further, {@code -Dfuzz.mutants} longer.
 */
class LoadFuzzIT {

    private static final long SEED = 1_824_613_581L;
    private static final int MUTANTS = Integer.getInteger("fuzz.mutants", 3000);
    private static final int SECONDS_WITHOUT_A_WORD = 60;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void damagedFileIsRefused(CorruptFile corrupt) throws IOException {
        Path path = corrupt.write(folder);
        BridgeException refusal = assertThrows(BridgeException.class, () -> Model.load(path).close());
        assertEquals(corrupt.exception(), refusal.getClass(), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(corrupt.message()), refusal.getMessage());
        if (corrupt.readable()) {
            assertTrue(Info.run(InfoOptions.of(path)).problem().contains(corrupt.message()));
        }
    }

    @Test
    void noMutantEndsTheProcess() throws Exception {
        long seed = Long.getLong("fuzz.seed", SEED);
        System.out.println("LoadFuzzIT: -Dfuzz.seed=" + seed + " -Dfuzz.mutants=" + MUTANTS);
        Path errors = folder.resolve("stderr");
        Process child = fork(errors, seed);
        List<String> last = follow(child);
        child.waitFor(10, TimeUnit.SECONDS);
        boolean ended = !last.isEmpty() && last.getLast().startsWith("done ") && !child.isAlive() && child.exitValue() == 0;
        child.destroyForcibly();
        assertTrue(ended, () -> "the child process did not survive, its last words:\n" + String.join("\n", last) + "\n" + tail(errors));
        System.out.println("LoadFuzzIT: " + last.getLast());
    }

    private Process fork(Path errors, long seed) throws IOException {
        var command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED", "-Xmx1g", "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + folder.resolve("hs_err.log")));
        String library = System.getProperty("ai.luciferai.llama.native");
        if (library != null) {
            command.add("-Dai.luciferai.llama.native=" + library);
        }
        command.addAll(List.of("-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), LoadFuzz.class.getName(), folder.toString(),
                Long.toString(seed), Integer.toString(MUTANTS)));
        String models = System.getProperty("fuzz.models");
        if (models != null) {
            command.addAll(List.of(models.split(",")));
        }
        return new ProcessBuilder(command).redirectError(errors.toFile()).start();
    }

    /** The last lines of the child; it is ended when it falls silent. */
    private static List<String> follow(Process child) throws InterruptedException {
        var lines = new LinkedBlockingQueue<String>();
        Thread reader = Thread.ofVirtual().start(() -> {
            try (BufferedReader out = child.inputReader()) {
                out.lines().forEach(lines::add);
            } catch (IOException | java.io.UncheckedIOException gone) {
                lines.add("(" + gone + ")");
            }
        });
        List<String> last = new ArrayList<>();
        while (reader.isAlive() || !lines.isEmpty()) {
            String line = lines.poll(SECONDS_WITHOUT_A_WORD, TimeUnit.SECONDS);
            if (line == null && reader.isAlive()) {
                last.add("nothing for " + SECONDS_WITHOUT_A_WORD + " seconds: it hangs");
                child.destroyForcibly();
                return last;
            }
            if (line != null) {
                last.add(line);
                if (last.size() > 6) {
                    last.removeFirst();
                }
            }
        }
        return last;
    }

    private static String tail(Path errors) {
        try {
            String text = Files.readString(errors);
            return text.substring(Math.max(0, text.length() - 4000));
        } catch (IOException e) {
            return "";
        }
    }
}
