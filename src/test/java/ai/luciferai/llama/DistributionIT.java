package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code mvn package} leaves: the launcher finds a JDK or says what to install, the jar holds its natives with their digests. */
class DistributionIT {

    private static final Path DIST = Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/dist");
    private static final Path JAVA_HOME = Path.of(System.getProperty("java.home"));

    @TempDir
    Path folder;

    @Test
    void launcherPassesOutputAndExitCodesThrough() throws Exception {
        Run version = launch(Map.of("LUCIFER_LLAMA_JDK", JAVA_HOME.toString()), "--version");
        Run unknown = launch(Map.of("LUCIFER_LLAMA_JDK", JAVA_HOME.toString()), "no-such-verb");
        assertAll(
                () -> assertEquals(0, version.code, version.err),
                () -> assertTrue(version.out.startsWith("lucifer-llama "), version.out),
                () -> assertEquals(2, unknown.code, unknown.err),
                () -> assertEquals("", unknown.out));
    }

    @Test
    void launcherSaysWhatToInstallWhenTheNamedJdkIsNone() throws Exception {
        Run run = launch(Map.of("LUCIFER_LLAMA_JDK", folder.toString()), "--version");
        assertAll(
                () -> assertEquals(4, run.code),
                () -> assertEquals("", run.out),
                () -> assertTrue(run.err.contains("needs a JDK 25 or later"), run.err),
                () -> assertTrue(run.err.contains(folder + ": no JDK"), run.err),
                () -> assertTrue(run.err.contains("apt install"), run.err));
    }

    @Test
    void launcherRefusesAnOlderJdk() throws Exception {
        Files.createDirectories(folder.resolve("bin"));
        Files.createFile(folder.resolve("bin/java")).toFile().setExecutable(true);
        Files.writeString(folder.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"24.0.2\"\n");
        Run run = launch(Map.of("LUCIFER_LLAMA_JDK", folder.toString()), "--version");
        assertEquals(4, run.code);
        assertTrue(run.err.contains(folder + ": version 24"), run.err);
    }

    @Test
    void launcherLooksFurtherWhenJavaHomeIsWrong() throws Exception {
        Run run = launch(Map.of("JAVA_HOME", folder.toString(), "PATH", JAVA_HOME.resolve("bin") + ":/usr/bin:/bin"), "--version");
        assertEquals(0, run.code, run.err);
    }

    @Test
    void aDamagedAotCacheIsNotFeltAndNotHeard() throws Exception {
        Path damaged = Files.writeString(folder.resolve("damaged.aot"), "not an AOT cache");
        Run run = launch(Map.of("LUCIFER_LLAMA_JDK", JAVA_HOME.toString(), "LUCIFER_LLAMA_OPTS", "-XX:AOTCache=" + damaged), "--version");
        assertEquals(0, run.code, run.err);
        assertTrue(run.out.startsWith("lucifer-llama "), run.out);
        assertEquals("", run.err);
    }

    /** The JVM knows a cache's jars by the names that it was made with: called by another path, it must still be the same ones. */
    @Test
    void theAotCacheServesWhereverItIsCalledFrom() throws Exception {
        var jdk = Map.of("LUCIFER_LLAMA_JDK", JAVA_HOME.toString());
        var create = new HashMap<>(jdk);
        create.put("LUCIFER_LLAMA_AOT", "create");
        for (String verb : List.of("generate", "convert")) { // convert has one of its own
            Run made = launch(create, verb);
            assertEquals(0, made.code, made.err);
        }

        var strict = new HashMap<>(jdk);
        strict.put("LUCIFER_LLAMA_OPTS", "-XX:AOTMode=on"); // no start without the cache
        Path link = Files.createSymbolicLink(folder.resolve("linked"), DIST.resolve("bin/lucifer-llama"));
        for (String launcher : List.of("./linked", folder.relativize(DIST).resolve("bin/lucifer-llama").toString())) {
            ProcessBuilder builder = process(strict, "--version").directory(folder.toFile());
            builder.command().set(0, launcher);
            Run run = run(builder);
            assertEquals(0, run.code, launcher + ": " + run.err);
        }
        Files.delete(link);
        Run convert = launch(strict, "convert", "--help");
        assertEquals(0, convert.code, convert.err);
    }

    /** Else the JVM's first file becomes stdin: the program would read a jar for prompts. */
    @Test
    void aClosedStdinIsAnEmptyOne() throws Exception {
        ProcessBuilder builder = process(Map.of("LUCIFER_LLAMA_JDK", JAVA_HOME.toString()), "-n", "1");
        var command = new ArrayList<>(List.of("bash", "-c", "exec \"$0\" \"$@\" <&-"));
        command.addAll(builder.command());
        Run run = run(builder.command(command));
        assertEquals(2, run.code, run.err);
        assertTrue(run.err.contains("no line with text on stdin"), run.err);
    }

    @Test
    void launcherBecomesTheJvmSoThatSignalsReachIt() throws Exception {
        Process process = process(Map.of("LUCIFER_LLAMA_JDK", JAVA_HOME.toString()), "generate", "-f", "-").start();
        try {
            String java = JAVA_HOME.resolve("bin/java").toRealPath().toString();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!java.equals(process.info().command().orElse("")) && System.nanoTime() < deadline) {
                Thread.sleep(20);
            }
            assertEquals(java, process.info().command().orElse(""));
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void jarHoldsNativesWithTheirDigests() throws IOException, GeneralSecurityException {
        try (var jar = new JarFile(DIST.resolve("lib/lucifer-llama.jar").toFile())) {
            var manifest = jar.stream().filter(entry -> entry.getName().matches("native/[a-z0-9_-]+/MANIFEST\\.sha256")).toList();
            assertEquals(1, manifest.size());
            String place = manifest.getFirst().getName().replace("MANIFEST.sha256", "");
            String text = new String(jar.getInputStream(manifest.getFirst()).readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(text.contains(System.mapLibraryName("lucifer_llama")), text);
            for (String line : text.lines().toList()) {
                byte[] library = jar.getInputStream(jar.getEntry(place + line.substring(66))).readAllBytes();
                assertEquals(line.substring(0, 64), HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(library)), line);
            }
            assertEquals("ALL-UNNAMED", jar.getManifest().getMainAttributes().getValue("Enable-Native-Access"));
            assertFalse(jar.stream().anyMatch(entry -> entry.getName().endsWith("ggml-rpc-server")), "a program cannot run from a jar");
        }
    }

    /** The jar alone, as a library that another program depends on: everything comes out of it, and mends itself. */
    @Test
    void whatTheJarUnpacksMendsItself() throws Exception {
        Path cache = folder.resolve("a cache \u00e9");
        assertEquals("ls src/", jarAlone(cache).out);
        List<Path> unpacked = files(cache);
        assertTrue(unpacked.size() > 3, unpacked::toString);
        for (Path file : unpacked) { // as a machine that lost power, or a disk that was full, leaves them
            try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(channel.size() / 2);
            }
        }
        assertEquals("ls src/", jarAlone(cache).out);
        for (Path file : unpacked) {
            Files.delete(file);
        }
        assertEquals("ls src/", jarAlone(cache).out);
        assertEquals(unpacked, files(cache));
        for (Path file : unpacked) { // of the right size and time, but full of zeros
            FileTime time = Files.getLastModifiedTime(file);
            Files.write(file, file.getFileName().toString().startsWith(".") ? Files.readAllBytes(file) : new byte[(int) Files.size(file)]);
            Files.setLastModifiedTime(file, time);
        }
        assertEquals("ls src/", jarAlone(cache).out);
    }

    @Test
    void twoProcessesUnpackAtOnce() throws Exception {
        Path cache = folder.resolve("shared");
        try (var threads = Executors.newFixedThreadPool(3)) {
            for (var run : threads.invokeAll(Collections.nCopies(3, (Callable<Run>) () -> jarAlone(cache)))) {
                assertEquals("ls src/", run.get().out, run.get().err);
            }
        }
        assertEquals(List.of(), files(cache).stream().filter(file -> file.toString().endsWith(".part")).toList());
    }

    @Test
    void aCacheThatCannotBeUsedIsToldWithTheProperty() throws Exception {
        Run run = jarAlone(Path.of("/proc/none"));
        assertEquals(3, run.code, run.err);
        assertTrue(run.err.contains("/proc/none") && run.err.contains("-Dai.luciferai.llama.cache="), run.err);
        assertFalse(run.err.contains("Exception"), run.err);
    }

    private static List<Path> files(Path below) throws IOException {
        try (var files = Files.walk(below)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private Run jarAlone(Path cache) throws IOException, InterruptedException {
        Path own = Files.createTempDirectory(folder, "run");
        var builder = new ProcessBuilder(JAVA_HOME.resolve("bin/java").toString(), "-Dai.luciferai.llama.cache=" + cache,
                "-jar", DIST.resolve("lib/lucifer-llama.jar").toString(), "generate", "--temp", "0", "-t", "1", "-p", "list files in src directory\\n");
        builder.environment().put("LC_ALL", "C.UTF-8");
        return run(builder, own);
    }

    private record Run(int code, String out, String err) {}

    private Run launch(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        return run(process(environment, arguments));
    }

    private Run run(ProcessBuilder builder) throws IOException, InterruptedException {
        return run(builder, folder);
    }

    private static Run run(ProcessBuilder builder, Path folder) throws IOException, InterruptedException {
        Path out = folder.resolve("out"), err = folder.resolve("err");
        Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        process.getOutputStream().close();
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    private static ProcessBuilder process(Map<String, String> environment, String... arguments) {
        var command = new ArrayList<>(List.of(DIST.resolve("bin/lucifer-llama").toString()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command);
        var variables = new HashMap<>(environment);
        variables.putIfAbsent("JAVA_HOME", "");
        builder.environment().keySet().removeIf(name -> name.startsWith("LUCIFER_"));
        builder.environment().putAll(variables);
        return builder;
    }
}
