package ai.luciferai.llama.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Lines that somebody types: editing, history across runs, search with Ctrl-R. Drawn on stderr, so that stdout has the answers alone. */
final class TerminalLines implements Lines {

    private final Environment environment;
    private final Terminal terminal;
    private final LineReader reader;

    TerminalLines(Environment environment) throws IOException {
        this.environment = environment;
        terminal = TerminalBuilder.builder().system(true).systemOutput(TerminalBuilder.SystemOutput.SysErrOrSysOut).build();
        // No quotes and no escapes in a text for a model, but a backslash at the end continues it.
        var parser = new DefaultParser().quoteChars(new char[0]).escapeChars(new char[] {'\\'});
        parser.setEofOnEscapedNewLine(true);
        reader = LineReaderBuilder.builder().terminal(terminal).parser(parser)
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                .option(LineReader.Option.HISTORY_IGNORE_DUPS, true)
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, ". ")
                .build();
        Path history = historyFile();
        if (history != null) {
            reader.setVariable(LineReader.HISTORY_FILE, history);
        }
    }

    /** Null when there is no place for it: then history lasts as long as the process. */
    private static Path historyFile() {
        String state = System.getenv("XDG_STATE_HOME");
        Path base = state == null || state.isEmpty() ? Path.of(System.getProperty("user.home"), ".local", "state") : Path.of(state);
        try {
            return Files.createDirectories(base.resolve("lucifer-llama")).resolve("history");
        } catch (IOException e) {
            return null;
        }
    }

    @Override
    public String next() throws IOException, InterruptedLineException {
        try {
            return environment.waiting(() -> reader.readLine("> ")).replace("\\\n", "\n");
        } catch (UserInterruptException e) {
            throw new InterruptedLineException();
        } catch (EndOfFileException | IllegalStateException e) {
            // The latter when JLine has closed the terminal, because the process was told to end.
            return null;
        }
    }

    @Override
    public void onInterrupt(Runnable action) {
        terminal.handle(Terminal.Signal.INT, signal -> action.run());
    }

    @Override
    public void close() throws IOException {
        reader.getHistory().save();
        terminal.close();
    }
}
