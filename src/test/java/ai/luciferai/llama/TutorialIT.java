package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.core.Cancel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * README.md tells the truth: its {@code console} blocks are run and their output compared, and its {@code java} blocks are the bodies
 * of the tests below, line by line.
 *
 * <p>In expected output {@code …} stands for anything within a line, and on a line of its own for any number of lines.
 */
class TutorialIT {

    private static final Path BASE = Path.of(System.getProperty("basedir", ".")).toAbsolutePath();

    private record Command(String text, List<String> expected) {}

    private static List<String> blocks(String language) throws IOException {
        var matcher = Pattern.compile("(?ms)^```" + language + "\\n(.*?)^```$").matcher(Files.readString(BASE.resolve("README.md")));
        return matcher.results().map(r -> r.group(1)).toList();
    }

    // --- commands ------------------------------------------------------------------------------------------------------

    private static List<Command> commands() throws IOException {
        var commands = new ArrayList<Command>();
        for (String block : blocks("console")) {
            for (String part : block.split("(?m)^\\$ ")) {
                if (!part.isBlank()) {
                    List<String> lines = part.lines().toList();
                    int end = 0;
                    while (lines.get(end).endsWith("\\")) {
                        end++;
                    }
                    commands.add(new Command(String.join("\n", lines.subList(0, end + 1)), lines.subList(end + 1, lines.size())));
                }
            }
        }
        return commands;
    }

    /** The commands run one after the other in one folder that looks like the repository to them. */
    @TestFactory
    Stream<DynamicTest> commandsPrintWhatTheReadmeSays(@TempDir Path folder) throws IOException {
        List<Command> commands = commands();
        assertFalse(commands.isEmpty());
        Path launcher = folder.resolve("lucifer-llama");
        Files.writeString(launcher, "#!/bin/sh\nexec '" + String.join("' '", Goldens.java()) + "' ai.luciferai.llama.cli.Main \"$@\"\n");
        assertTrue(launcher.toFile().setExecutable(true));
        Files.createSymbolicLink(folder.resolve("src"), BASE.resolve("src"));
        return commands.stream().map(c -> DynamicTest.dynamicTest(c.text, () -> check(c, folder)));
    }

    private static void check(Command command, Path folder) throws Exception {
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        Process process = new ProcessBuilder("bash", "-c", command.text).directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile()).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        process.destroyForcibly();
        String got = Files.readString(out);
        String context = command.text + "\nprinted:\n" + got + "\nand on stderr:\n" + Files.readString(err);
        assertTrue(ended, context);
        assertTrue(pattern(command.expected).matcher(got).matches(), context + "\nexpected:\n" + String.join("\n", command.expected));
    }

    private static Pattern pattern(List<String> expected) {
        String regex = expected.stream().map(line -> line.equals("…") ? "(?:.*\\n)*?" : Stream.of(line.split("…", -1))
                .map(Pattern::quote).collect(Collectors.joining(".*")) + "\\n").collect(Collectors.joining());
        // A completion ends without a line break where the model did not write one.
        return Pattern.compile(regex.endsWith("\\n") ? regex + "?" : regex);
    }

    // --- library -------------------------------------------------------------------------------------------------------

    @Test
    void javaBlocksOfTheReadmeAreHere() throws IOException {
        String here = flat(Files.readString(BASE.resolve("src/test/java/ai/luciferai/llama/TutorialIT.java")));
        List<String> parts = blocks("java").stream().filter(block -> !block.startsWith("package ")).toList(); // the program is LibraryProjectIT's
        assertFalse(parts.isEmpty());
        for (String part : parts) {
            assertTrue(here.contains(flat(part)), part);
        }
    }

    private static String flat(String code) {
        return code.lines().map(String::strip).filter(l -> !l.isEmpty() && !l.startsWith("import ")).collect(Collectors.joining("\n"));
    }

    private final StringBuilder printed = new StringBuilder();

    private void print(Object text) {
        printed.append(text);
    }

    @Test
    void generate() {
        try (Model model = Model.embedded(); // or Model.load(Path.of("model.gguf"))
                Session session = model.session()) {
            Completion answer = session.complete(Prompt.text("list files in src directory\n"),
                    GenerateOptions.defaults().withMaxTokens(64).withSampling(Sampling.greedy()));
            print(answer.text()); // ls src/
        }
        assertEquals("ls src/", printed.toString());
    }

    @Test
    void stream() {
        GenerateOptions greedy = GenerateOptions.defaults().withMaxTokens(64).withSampling(Sampling.greedy());
        try (Model model = Model.embedded(); Session session = model.session()) {
            // Pulled:
            try (Generation generation = session.generate(Prompt.text("show the 25 largest files\n"), greedy)) {
                for (Token token : generation) {
                    print(token.text());
                }
                print(" " + generation.completion().stopReason()); // du -ah . | sort -hr | head -n 25 END_OF_GENERATION
            }
            assertEquals("du -ah . | sort -hr | head -n 25 END_OF_GENERATION", printed.toString());
            // Pushed; cancel.request() from any thread ends it within one token:
            Cancel cancel = new Cancel();
            session.complete(Prompt.text("follow report.html\n"), greedy, token -> print(token.text()), cancel);
        }
        assertTrue(printed.toString().endsWith("tail -f report.html"), printed.toString());
    }

    @Test
    void chat() {
        GenerateOptions greedy = GenerateOptions.defaults().withMaxTokens(64).withSampling(Sampling.greedy());
        try (Model model = Model.embedded(); Session session = model.session()) {
            Chat chat = session.chat(ChatOptions.defaults());
            print(chat.send("make a new folder golka", greedy).text()); // mkdir golka
            assertEquals("mkdir golka", printed.toString());
            print(chat.history().size()); // 2: the question and the answer
        }
        assertTrue(printed.toString().endsWith("2"), printed.toString());
    }

    @Test
    void form() {
        try (Model model = Model.embedded(); Session session = model.session()) {
            String schema = """
                    {"type": "object", "properties": {"lines": {"type": "integer", "minimum": 1, "maximum": 99}}, "required": ["lines"]}""";
            Completion answer = session.complete(Prompt.text("show the last 20 lines of error.log\n"),
                    GenerateOptions.defaults().withSampling(Sampling.greedy()).withJsonSchema(schema));
            assertTrue(Goldens.parse(answer.text()).get("lines").isInt(), answer.text());
        }
    }

    @Test
    void adapters() {
        Path file = Goldens.adapter();
        GenerateOptions greedy = GenerateOptions.defaults().withMaxTokens(24).withSampling(Sampling.greedy());
        Prompt prompt = Prompt.text("follow report.html\n");
        try (Model model = Model.embedded(); Adapter adapter = model.loadAdapter(file); Session session = model.session()) {
            session.adapters(List.of(new AdapterScale(adapter, 2.0f)));
            print(session.complete(prompt, greedy).text()); // tail -f report.c
            session.adapters(List.of());
            print(" " + session.complete(prompt, greedy).text()); // tail -f report.html
        }
        assertEquals("tail -f report.c tail -f report.html", printed.toString());
    }

    @Test
    void batch() {
        GenerateOptions greedy = GenerateOptions.defaults().withMaxTokens(64).withSampling(Sampling.greedy());
        try (Model model = Model.embedded()) {
            List<Prompt> prompts = List.of(Prompt.text("make a new folder quaba\n"), Prompt.text("show client.css\n"));
            for (Completion answer : model.generateAll(prompts, greedy)) {
                print(answer.text() + ";"); // mkdir quaba;cat client.css;
            }
        }
        assertEquals("mkdir quaba;cat client.css;", printed.toString());
    }

    @Test
    void embeddings() {
        try (Model model = Model.embedded(); Embedder embedder = model.embedder()) {
            float[] a = embedder.embed("list files in src directory");
            float[] b = embedder.embed("list files in docs directory");
            float[] c = embedder.embed("find the postgres process");
            print(Embedder.similarity(a, b) > Embedder.similarity(a, c)); // true
        }
        assertEquals("true", printed.toString());
    }

    @Test
    void errors() {
        try (Model model = Model.load(Path.of("missing.gguf"))) {
            print(model.info());
        } catch (BridgeException e) { // the root of all; each kind of failure has a class of its own
            print(e.getMessage());
        }
        assertTrue(printed.toString().contains("missing.gguf"), printed.toString());
    }
}
