package ai.luciferai.llama.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.NativeCallException;
import ai.luciferai.llama.core.UnsupportedModelException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MainTest {

    @Test
    void helpListsEveryVerbAndTheExitCodes() {
        CliRun run = CliRun.of("--help");
        assertEquals(ExitCode.OK, run.code());
        assertEquals("", run.err());
        for (String verb : Main.VERBS) {
            assertTrue(run.out().contains("\n  " + verb + " "), verb);
        }
        for (String code : List.of("0  ", "1  ", "2  ", "3  ", "4  ", "5  ", "130", "141")) {
            assertTrue(run.out().contains("\n  " + code), code);
        }
    }

    @Test
    void everyVerbHasHelpOnStdout() {
        for (String verb : Main.VERBS) {
            CliRun run = CliRun.of(verb, "--help");
            assertEquals(ExitCode.OK, run.code(), run.err());
            assertTrue(run.out().startsWith("Usage: lucifer-llama " + verb), run.out());
            assertEquals("", run.err());
            assertEquals(run.out(), CliRun.of("help", verb).out());
        }
    }

    @Test
    void quietEndsRemarksOfTheLibraryToo() {
        System.Logger logger = System.getLogger("ai.luciferai.llama.SchemaForm");
        CliRun.of("info", "none.gguf", "-q");
        assertFalse(logger.isLoggable(System.Logger.Level.WARNING));
        CliRun.of("info", "none.gguf");
        assertTrue(logger.isLoggable(System.Logger.Level.WARNING));
    }

    @Test
    void noWordsAtAllIsAMistakeThatShowsTheHelp() {
        CliRun run = CliRun.of();
        assertEquals(ExitCode.USAGE, run.code());
        assertTrue(run.out().startsWith("Usage:"));
    }

    @Test
    void unknownVerbsAreRefusedWithTheNearestKnown() {
        CliRun run = CliRun.of("genrate", "-p", "x");
        assertEquals(ExitCode.USAGE, run.code());
        assertEquals("", run.out());
        assertTrue(run.err().contains("got 'genrate'"), run.err());
        assertTrue(run.err().contains("HINT: did you mean generate?"), run.err());
    }

    @Test
    void withoutVerbOptionsAreGenerates() {
        CliRun run = CliRun.of("-m", "x.gguf", "-p", "list", "--temp", "hot");
        assertEquals(ExitCode.USAGE, run.code());
        assertTrue(run.err().startsWith("error: option --temp: expected a number, got 'hot'"), run.err());
    }

    @Test
    void optionsOfGenerateBesideTestAreTold() {
        CliRun run = CliRun.of("-m", "x.gguf", "--temp", "0", "--test");
        assertEquals(ExitCode.USAGE, run.code());
        assertTrue(run.err().startsWith("error: option --temp: expected an option of bench, which --test stands for, got one of generate"), run.err());
        assertTrue(CliRun.of("--repetition", "3", "--test").err().contains("did you mean --repetitions?"));
    }

    @Test
    void optionsAreNamedAsTheyWereTyped() {
        assertTrue(CliRun.of("generate", "-p", "x", "-b", "0").err().startsWith("error: option -b: "));
        assertTrue(CliRun.of("generate", "-p", "x", "--batch-size", "0").err().startsWith("error: option --batch-size: "));
    }

    @Test
    void stackTracesComeWithDebugOnly() {
        assertTrue(CliRun.of("generate", "-p", "x", "-b", "0", "-vv").err().contains("\tat "));
        assertEquals(-1, CliRun.of("generate", "-p", "x", "-b", "0", "-v").err().indexOf("\tat "));
    }

    @Test
    void exceptionsHaveTheDocumentedCodes() {
        assertEquals(2, ExitCode.of(new InvalidOptionException("a", "b", "c")));
        assertEquals(3, ExitCode.of(new InvalidFileException(Path.of("a"), "b", "c", "d")));
        assertEquals(3, ExitCode.of(new NoSuchFileException("a")));
        assertEquals(4, ExitCode.of(new UnsupportedModelException("a", "b", "c", "d")));
        assertEquals(5, ExitCode.of(new NativeCallException("a", "b", "c", List.of())));
        assertEquals(130, ExitCode.of(new CancelledException("a")));
        assertEquals(1, ExitCode.of(new IOException("a")));
        assertEquals(1, ExitCode.of(new IllegalStateException("a")));
        assertEquals(1, ExitCode.of(new OutOfMemoryError("a")));
    }

    @Test
    void readerThatWentAwayEndsQuietly() {
        assertEquals(new Ended(ExitCode.READER_GONE, ""), endedBy(new IOException("Broken pipe")));
    }

    @Test
    void fullDiskIsReported() {
        assertEquals(new Ended(ExitCode.INTERNAL, "error: stdout: No space left on device\n"),
                endedBy(new IOException("No space left on device")));
    }

    private record Ended(int code, String err) {}

    private static Ended endedBy(IOException fault) {
        var broken = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw fault;
            }
        };
        var err = new ByteArrayOutputStream();
        int code = Main.run(new String[] {"--help"}, new Environment(new ByteArrayInputStream(new byte[0]), broken,
                new PrintStream(err, true, StandardCharsets.UTF_8), false));
        return new Ended(code, err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void everyDeclaredVerbHasACommand() {
        for (String verb : Main.VERBS) {
            assertEquals(verb, Main.command(verb).syntax().verb());
        }
        assertThrows(InvalidOptionException.class, () -> Main.command("nothing"));
    }
}
