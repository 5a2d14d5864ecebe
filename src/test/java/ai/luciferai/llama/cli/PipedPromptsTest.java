package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prompts out of stdin: which lines they are, and what is said where stdin gives none. */
class PipedPromptsTest {

    @TempDir
    Path folder;

    private static GeneratePlan pipedPlan(String... words) {
        return GeneratePlan.of(new GenerateCommand().syntax().parse(words, 0), true);
    }

    /** What goes over several prompts or models at once is not passed over where there is one. */
    @Test
    void severalModelsNeedPrompts() throws IOException {
        Path prompts = Files.writeString(folder.resolve("p.txt"), "list\n");
        assertEquals(2, pipedPlan("-m", "a", "-m", "b", "--prompts", prompts.toString()).models().size());
        for (String[] words : new String[][] {{"-m", "a", "-m", "b"}, {"-m", "a", "-m", "b", "-p", "x"}, {"-i", "-m", "a", "-m", "b"}}) {
            var e = assertThrows(InvalidOptionException.class, () -> pipedPlan(words));
            assertTrue(e.getMessage().contains("-m: expected one model, got 2 of them"), e.getMessage());
        }
        var e = assertThrows(InvalidOptionException.class, () -> pipedPlan("--prompts", prompts.toString(), "--logprobs", "1"));
        assertTrue(e.getMessage().contains("--logprobs: expected --json beside --prompts"), e.getMessage());
    }

    @Test
    void linesOfStdinAreReadOneByOne() throws IOException {
        Environment environment = CliRun.environment("\nlist\\tfiles\r\n \nlast");
        GeneratePlan plan = pipedPlan("-m", "tiny.gguf");
        assertEquals("list\tfiles", plan.firstPipedPrompt(environment));
        assertEquals(2, environment.lineNumber());
        assertEquals("last", plan.nextPipedPrompt(environment));
        assertEquals(4, environment.lineNumber());
        assertNull(plan.nextPipedPrompt(environment));
    }

    @Test
    void stdinThatIsNoTextIsRefusedByItsLine() throws IOException {
        assertEquals("stdin: line 2: expected UTF-8, got bytes that are not", refusal(2, bytes("list\n\u00e9\n", StandardCharsets.ISO_8859_1)));
        assertEquals("stdin: line 1: expected UTF-8, got a binary file", refusal(1, new ByteArrayInputStream(new byte[] {(byte) 0x80, 0, '\n'})));
        assertEquals("stdin: line 2: expected text, got a binary file", refusal(2, bytes("list\na\0b", StandardCharsets.UTF_8)));
        assertEquals("stdin: line 1: expected a line of at most 16 MiB, got a longer one", refusal(1, new InputStream() { // /dev/zero
            @Override
            public int read() {
                return 0;
            }
        }));
    }

    @Test
    void stdinThatCannotBeReadIsToldInWords() throws IOException {
        assertEquals("stdin: input: expected a text file or a pipe, got a folder", refusal(1, failing("Is a directory")));
        assertEquals("stdin: input: expected a text file or a pipe, got a closed stream", refusal(1, failing("Bad file descriptor")));
        var e = assertThrows(UncheckedIOException.class, () -> pipedPlan("-").prompt(environment(failing("Input/output error"))));
        assertEquals("stdin: Input/output error", e.getMessage());
    }

    /** What is said of line {@code n}, those before it being good. */
    private static String refusal(int n, InputStream in) throws IOException {
        Environment environment = environment(in);
        GeneratePlan plan = pipedPlan("-m", "m");
        for (int i = 1; i < n; i++) {
            plan.nextPipedPrompt(environment);
        }
        var e = assertThrows(InvalidFileException.class, () -> plan.nextPipedPrompt(environment));
        return e.getMessage().lines().findFirst().orElseThrow();
    }

    private static Environment environment(InputStream in) {
        return new Environment(in, new ByteArrayOutputStream(), System.err, false);
    }

    private static InputStream bytes(String text, Charset charset) {
        return new ByteArrayInputStream(text.getBytes(charset));
    }

    private static InputStream failing(String message) {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException(message);
            }
        };
    }

    /** Of several models or files one fails: its message says which, once. */
    @Test
    void aFailureIsNamedOnce() {
        var err = new ByteArrayOutputStream();
        var environment = new Environment(InputStream.nullInputStream(), new ByteArrayOutputStream(), new PrintStream(err, true, StandardCharsets.UTF_8), false);
        environment.tellFailure("tiny", new InvalidFileException(Path.of("models/tiny.gguf"), "magic", "the characters 'GGUF'", "'text'"), null);
        environment.tellFailure("tiny", new InvalidOptionException("-c", "more", "0"), null);
        assertEquals("error: models/tiny.gguf: magic: expected the characters 'GGUF', got 'text'" + System.lineSeparator()
                + "error: tiny: option -c: expected more, got 0" + System.lineSeparator(), err.toString(StandardCharsets.UTF_8));
    }
}
