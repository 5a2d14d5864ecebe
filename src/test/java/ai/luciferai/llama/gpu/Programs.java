package ai.luciferai.llama.gpu;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs the programs of a step, each with what is left of the step's time; their words go to the step's log. */
final class Programs {

    private final Path kit;
    private final Path log;
    private final long deadline;
    private final Map<String, String> environment;

    /**
     * @param kit      the unpacked kit
     * @param log      gets what the programs print, but what they are asked for
     * @param deadline of {@link System#nanoTime}
     */
    Programs(Path kit, Path log, long deadline, Map<String, String> environment) {
        this.kit = kit;
        this.log = log;
        this.deadline = deadline;
        this.environment = environment;
    }

    /** The same with a variable more. */
    Programs with(String name, String value) {
        var all = new HashMap<>(environment);
        all.put(name, value);
        return new Programs(kit, log, deadline, all);
    }

    /** What it printed to stdout, its exit code and how long it took. */
    record Run(String output, int code, double seconds) {

        /** @throws IOException it did not end with 0 */
        String text() throws IOException {
            if (code != 0) {
                throw new IOException("ended with " + code);
            }
            return output;
        }
    }

    Run ours(String... words) throws IOException, InterruptedException {
        return run(kit.resolve("dist/bin/lucifer-llama").toString(), words);
    }

    Run upstream(String tool, String... words) throws IOException, InterruptedException {
        return run(kit.resolve("dist/lib/native").resolve(tool).toString(), words);
    }

    /** A main class of the tests in a JVM of its own, which links against the packed libraries. */
    Run java(Class<?> main, String... words) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
                "-Dai.luciferai.llama.native=" + kit.resolve("dist/lib/native"),
                "-cp", kit.resolve("classes") + File.pathSeparator + kit.resolve("dist/lib") + "/*", main.getName()));
        command.addAll(Arrays.asList(words));
        return run(Path.of(System.getProperty("java.home"), "bin/java").toString(), command.toArray(String[]::new));
    }

    Run run(String program, String... words) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Process process = start(program, words);
        return await(process, start);
    }

    Process start(String program, String... words) throws IOException {
        var command = new ArrayList<>(List.of(program));
        command.addAll(Arrays.asList(words));
        Files.writeString(log, "\n$ " + String.join(" ", command) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.environment().putAll(environment);
        return builder.start();
    }

    Process startOurs(String... words) throws IOException {
        return start(kit.resolve("dist/bin/lucifer-llama").toString(), words);
    }

    /** Reads to its end, or to the end of the step's time, when it is killed and the code is -1. */
    Run await(Process process, long start) throws IOException, InterruptedException {
        var output = new StringBuilder();
        Thread reader = Thread.ofVirtual().start(() -> {
            try (var in = process.getInputStream()) {
                output.append(new String(in.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                output.append(e);
            }
        });
        int code = -1;
        if (process.waitFor(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            code = process.exitValue();
        } else {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        reader.join();
        Files.writeString(log, output + "\n[ended with " + code + " after " + Outcome.round(seconds) + " s]\n", StandardOpenOption.APPEND);
        return new Run(output.toString(), code, seconds);
    }
}
