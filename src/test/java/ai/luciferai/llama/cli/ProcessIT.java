package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own shows: encodings, signals, a terminal. */
@EnabledOnOs(OS.LINUX)
class ProcessIT {

    private static final long LIMIT_SECONDS = 120;

    @TempDir
    Path folder;

    private static List<String> java(Class<?> main, String... words) {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))));
        String library = System.getProperty("ai.luciferai.llama.native");
        if (library != null) {
            command.add("-Dai.luciferai.llama.native=" + library);
        }
        command.add(main.getName());
        command.addAll(List.of(words));
        return command;
    }

    /** Starts it with signals handled as in a shell's foreground: a build in the background may have them ignored. */
    private Process start(List<String> command, Map<String, String> environment) throws IOException {
        var all = new ArrayList<>(List.of("env", "--default-signal=INT,TERM,HUP"));
        all.addAll(command);
        var builder = new ProcessBuilder(all).redirectError(folder.resolve("err").toFile()).redirectOutput(folder.resolve("out").toFile());
        builder.environment().putAll(environment);
        builder.environment().put("XDG_STATE_HOME", folder.toString());
        return builder.start();
    }

    private String printed(String stream) throws IOException {
        return Files.readString(folder.resolve(stream), StandardCharsets.UTF_8);
    }

    private void awaitPrinted(Process process, String stream, String text) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!printed(stream).contains(text)) {
            assertTrue(process.isAlive() && System.nanoTime() < end, () -> "no '" + text + "': " + folder);
            Thread.sleep(20);
        }
    }

    private static void interrupt(Process process) throws Exception {
        signal("INT", process.toHandle());
    }

    private static void signal(String name, ProcessHandle process) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor());
    }

    private static int end(Process process) throws InterruptedException {
        boolean ended = process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertTrue(ended, "no end within " + LIMIT_SECONDS + " s");
        return process.exitValue();
    }

    @Test
    void resultsAreUtf8WhateverTheLocale() throws Exception {
        Process process = start(java(Main.class, "devices", "--help"), Map.of("LC_ALL", "C"));
        assertEquals(0, end(process));
        assertTrue(printed("out").contains("HOST:PORT,…"), printed("out"));
    }

    @Test
    void nothingButTheCompletionIsOnStdout() throws Exception {
        Process process = start(java(Main.class, "generate", "-p", "list files in src directory\\n", "--temp", "0", "-t", "1"), Map.of());
        assertEquals(0, end(process));
        assertEquals("ls src/", printed("out"));
        assertEquals("", printed("err"));
    }

    @Test
    void ctrlCWhileWorkingEndsWith130() throws Exception {
        Process process = startWork();
        interrupt(process);
        assertEquals(ExitCode.CANCELLED, end(process));
        assertEquals("", printed("out"));
        assertTrue(printed("err").contains("error: "), printed("err"));
    }

    @Test
    void ctrlCWhileWaitingForInputEndsWith130() throws Exception {
        Process process = start(java(Waiting.class), Map.of());
        awaitPrinted(process, "out", "ready");
        Thread.sleep(500);
        interrupt(process);
        assertEquals(ExitCode.CANCELLED, end(process));
    }

    @Test
    void secondCtrlCEndsWorkThatDoesNotStop() throws Exception {
        Process process = start(java(Stubborn.class), Map.of());
        awaitPrinted(process, "out", "ready");
        interrupt(process);
        awaitPrinted(process, "out", "asked");
        Thread.sleep(200);
        assertTrue(process.isAlive());
        interrupt(process);
        assertEquals(128 + 2, end(process)); // ended by the signal itself
    }

    @Test
    void sigtermEndsWorkThatDoesNotStop() throws Exception {
        for (String signal : List.of("TERM", "HUP")) {
            Process process = start(java(Stubborn.class), Map.of());
            awaitPrinted(process, "out", "ready");
            signal(signal, process.toHandle());
            assertEquals(128 + (signal.equals("TERM") ? 15 : 1), end(process));
            assertEquals("ready\nasked\n", printed("out"));
        }
    }

    @Test
    void sigtermEndsACallOfNativeCodeThatDoesNotReturn() throws Exception {
        Process process = start(java(Asleep.class), Map.of());
        awaitPrinted(process, "out", "ready");
        signal("TERM", process.toHandle());
        assertEquals(128 + 15, end(process));
    }

    @Test
    void sigtermAfterCtrlCEndsWorkThatDoesNotStop() throws Exception {
        Process process = start(java(Stubborn.class), Map.of());
        awaitPrinted(process, "out", "ready");
        interrupt(process);
        awaitPrinted(process, "out", "asked");
        signal("TERM", process.toHandle());
        assertEquals(128 + 15, end(process));
    }

    @Test
    void sigtermLeavesTimeToEndTidily() throws Exception {
        Process process = startWork();
        signal("TERM", process.toHandle());
        signal("TERM", process.toHandle()); // as timeout(1) does: to the process and to its group
        assertEquals(128 + 15, end(process));
        assertTrue(printed("err").contains("error: "), printed("err"));
    }

    @Test
    void isolatedWorkThatDoesNotStopEndsWithTheProcessThatWatches() throws Exception {
        Process process = startWork("--isolate");
        ProcessHandle child = process.descendants().findFirst().orElseThrow();
        signal("STOP", child); // deaf to every request
        signal("TERM", process.toHandle());
        assertEquals(128 + 15, end(process));
        child.onExit().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void isolatedWorkIsTheSame() throws Exception {
        Process process = start(java(Main.class, "generate", "--isolate", "-p", "list files in src directory\\n", "--temp", "0", "-t", "1"), Map.of());
        assertEquals(0, end(process));
        assertEquals("ls src/", printed("out"));
        process = start(java(Main.class, "info", "--isolate", "missing.gguf"), Map.of());
        assertEquals(ExitCode.INPUT_FILE, end(process));
        assertTrue(printed("err").startsWith("error: missing.gguf: "), printed("err"));
    }

    @Test
    void isolatedWorkThatDiesIsToldAndDocumented() throws Exception {
        Process process = startWork("--isolate");
        ProcessHandle child = process.descendants().findFirst().orElseThrow();
        assertEquals(0, new ProcessBuilder("kill", "-KILL", Long.toString(child.pid())).start().waitFor());
        assertEquals(ExitCode.NATIVE, end(process));
        assertTrue(printed("err").contains("error: the process that did the work ended with code 137, by signal 9"), printed("err"));
    }

    @Test
    void endOfTheIsolatingProcessEndsTheIsolated() throws Exception {
        Process process = startWork("--isolate");
        ProcessHandle child = process.descendants().findFirst().orElseThrow();
        process.destroy();
        assertEquals(128 + 15, end(process));
        assertFalse(child.isAlive());
    }

    /** 400 of them need more than three gigabytes of addresses for their stacks alone. */
    @Test
    void threadsThatCannotBeStartedAreNoFailedAssertion() throws Exception {
        var java = new ArrayList<>(java(Main.class, "generate", "-p", "list files", "-n", "2", "-t", "400"));
        java.addAll(1, List.of("-Xmx64m", "-XX:+UseSerialGC", "-XX:ReservedCodeCacheSize=32m", "-XX:CompressedClassSpaceSize=32m"));
        var limited = new ArrayList<>(List.of("bash", "-c", "ulimit -s 8192 -v 3500000; exec \"$0\" \"$@\""));
        limited.addAll(java);
        Process process = start(limited, Map.of());
        assertEquals(ExitCode.NATIVE, end(process));
        assertTrue(printed("err").contains("of 400 threads can be started"), printed("err"));
    }

    @Test
    void conversationOnATerminalHasPromptAndAnswers() throws Exception {
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "no script(1), which makes pseudo-terminals");
        String command = String.join(" ", java(Main.class, "generate", "-i", "--temp", "0", "-t", "1").stream().map(word -> "'" + word + "'").toList());
        Process process = start(List.of("script", "--quiet", "--return", "--command", "stty rows 30 cols 100; " + command, "/dev/null"), Map.of("TERM", "xterm"));
        awaitPrinted(process, "out", "> ");
        process.getOutputStream().write("make a new folder golka\r".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        awaitPrinted(process, "out", "mkdir golka");
        Thread.sleep(500);
        process.getOutputStream().write("/exit\r".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        assertEquals(0, end(process), printed("out"));
        assertTrue(Files.readString(folder.resolve("lucifer-llama/history")).contains("make a new folder golka"));
    }

    /** Starts work that does not end by itself, and returns when it is under way. */
    private Process startWork(String... options) throws Exception {
        List<String> words = new ArrayList<>(List.of("bench", "-p", "64", "-n", "0", "-r", "100000000", "--no-warmup", "-t", "1", "-v"));
        words.addAll(List.of(options));
        Process process = start(java(Main.class, words.toArray(String[]::new)), Map.of());
        awaitPrinted(process, "err", "llama_context");
        return process;
    }

    /** Reads stdin, which says nothing. */
    static final class Waiting {

        public static void main(String[] args) throws IOException {
            Environment environment = Environment.ofProcess();
            Interrupt.watch(environment);
            environment.print("ready\n");
            environment.flush();
            environment.readAll();
        }
    }

    /** Is inside a call of native code for ever. */
    static final class Asleep {

        public static void main(String[] args) throws Throwable {
            Environment environment = Environment.ofProcess();
            Interrupt.watch(environment);
            environment.print("ready\n");
            environment.flush();
            Linker linker = Linker.nativeLinker();
            linker.downcallHandle(linker.defaultLookup().findOrThrow("pause"), FunctionDescriptor.of(ValueLayout.JAVA_INT)).invoke();
        }
    }

    /** Hears the request to stop and goes on. */
    static final class Stubborn {

        public static void main(String[] args) throws InterruptedException {
            Environment environment = Environment.ofProcess();
            Interrupt.watch(environment);
            environment.print("ready\n");
            environment.flush();
            while (!environment.cancel().requested()) {
                Thread.sleep(10);
            }
            environment.print("asked\n");
            environment.flush();
            Thread.sleep(Long.MAX_VALUE);
        }
    }
}
