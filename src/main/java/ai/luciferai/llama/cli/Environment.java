package ai.luciferai.llama.cli;

import ai.luciferai.llama.Token;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.Utf8;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a command works in: its streams, how much it says, and the request to stop.
 *
 * <p>Results go to {@link #print}, in UTF-8 whatever the locale says, because programs read them; everything else goes to
 * {@link #err}.
 */
final class Environment {

    /** Whoever read our results does not any more, as in {@code generate … | head -1}: no fault, but no reason to go on. */
    static final class ReaderGoneException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ReaderGoneException(IOException cause) {
            super("the reader of stdout went away", cause);
        }
    }

    private static final Path STDIN = Path.of("stdin");
    /** Far above any context: what has no line end by then is no line, and shall not fill the memory. */
    private static final int MOST_BYTES_OF_A_LINE = 16 << 20;

    private final InputStream in;
    private final OutputStream out;
    private final PrintStream err;
    private final boolean errIsTerminal;
    private final boolean piped;
    private final Cancel cancel = new Cancel();
    private Verbosity verbosity = Verbosity.NORMAL;
    private volatile boolean waiting;
    private volatile Runnable abandonment = () -> {};
    private long lines;

    Environment(InputStream in, OutputStream out, PrintStream err, boolean errIsTerminal) {
        this(in, out, err, errIsTerminal, true);
    }

    private Environment(InputStream in, OutputStream out, PrintStream err, boolean errIsTerminal, boolean piped) {
        this.in = new BufferedInputStream(in, 8192);
        this.out = new BufferedOutputStream(out, 8192);
        this.err = err;
        this.errIsTerminal = errIsTerminal;
        this.piped = piped;
    }

    /** The process's own streams. */
    static Environment ofProcess() {
        return new Environment(new FileInputStream(FileDescriptor.in), new FileOutputStream(FileDescriptor.out),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8), isTerminal(2), !isTerminal(0));
    }

    /** All of stdin, as text. */
    String readAll() throws IOException {
        return waiting(() -> Utf8.decode(STDIN, input(in::readAllBytes)));
    }

    /** The next line of stdin without its end, or null when there is none. */
    String readLine() throws IOException {
        return waiting(() -> {
            byte[] bytes = input(this::lineBytes);
            String text = bytes == null ? null : decoded(bytes);
            return text != null && text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
        });
    }

    /** The line that {@link #readLine} returned last, counted from 1. */
    long lineNumber() {
        return lines;
    }

    private byte[] lineBytes() throws IOException {
        int b = in.read();
        if (b < 0) {
            return null;
        }
        lines++;
        var line = new ByteArrayOutputStream();
        for (; b >= 0 && b != '\n'; b = in.read()) {
            if (line.size() == MOST_BYTES_OF_A_LINE) {
                throw new InvalidFileException(STDIN, "line " + lines, "a line of at most 16 MiB", "a longer one");
            }
            line.write(b);
        }
        return line.toByteArray();
    }

    private String decoded(byte[] line) {
        String text;
        try {
            text = Utf8.decode(STDIN, line);
        } catch (InvalidFileException e) {
            throw new InvalidFileException(STDIN, "line " + lines, e.expected(), e.got(), e.hint(), e);
        }
        if (text.indexOf('\0') >= 0) {
            throw new InvalidFileException(STDIN, "line " + lines, "text", "a binary file");
        }
        return text;
    }

    private interface Bytes {
        byte[] read() throws IOException;
    }

    /** What the shell can do to stdin is said in its words: {@code < folder}, and nothing at all. */
    private static byte[] input(Bytes bytes) throws IOException {
        try {
            return bytes.read();
        } catch (IOException e) {
            String message = String.valueOf(e.getMessage());
            String got = message.contains("Is a directory") ? "a folder" : message.contains("Bad file descriptor") ? "a closed stream" : null;
            if (got == null) {
                throw new UncheckedIOException("stdin: " + message, e);
            }
            throw new InvalidFileException(STDIN, "input", "a text file or a pipe", got, null, e);
        }
    }

    /** Something that waits for input. */
    @FunctionalInterface
    interface Input {
        String read() throws IOException;
    }

    /** Reads input; meanwhile {@link #waiting()}. */
    String waiting(Input input) throws IOException {
        waiting = true;
        try {
            return input.read();
        } finally {
            waiting = false;
        }
    }

    /** Whether the command waits for somebody to type: then there is nothing to end tidily. */
    boolean waiting() {
        return waiting;
    }

    /** Writes results; they may wait in a buffer until {@link #flush}. */
    void print(String text) {
        try {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Prints a token's text at once. */
    void stream(Token token) {
        if (!token.text().isEmpty()) {
            print(token.text());
            flush();
        }
    }

    /** Whether stdin is a file or a pipe: something that ends. */
    boolean piped() {
        return piped;
    }

    /** Sends what was printed. */
    void flush() {
        try {
            out.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private static RuntimeException failed(IOException e) {
        String message = String.valueOf(e.getMessage());
        boolean gone = message.contains("Broken pipe") || message.contains("pipe is being closed");
        return gone ? new ReaderGoneException(e)
                : new UncheckedIOException("stdout: " + (message.contains("Bad file descriptor") ? "a closed stream" : message), e);
    }

    PrintStream err() {
        return err;
    }

    boolean errIsTerminal() {
        return errIsTerminal;
    }

    /** A remark, unless -q. */
    void say(String text) {
        if (verbosity != Verbosity.QUIET) {
            err.println(text);
        }
    }

    /** Says that one of several failed; its message may name it already. */
    void tellFailure(String name, Throwable fault, Arguments arguments) {
        String message = Faults.message(fault, arguments);
        err.println("error: " + (message.contains(name) ? "" : name + ": ") + message);
    }

    Verbosity verbosity() {
        return verbosity;
    }

    void verbosity(Verbosity value) {
        verbosity = value;
    }

    /** Set by Ctrl-C. */
    Cancel cancel() {
        return cancel;
    }

    /** What shall happen when the process ends without waiting for the work any longer. */
    void onAbandon(Runnable action) {
        abandonment = action;
    }

    /** The process ends, the work has not. */
    void abandon() {
        abandonment.run();
    }

    /** Shows progress on stderr; to be closed before results are printed. */
    ProgressLine progress() {
        return verbosity == Verbosity.QUIET
                ? new ProgressLine(null, false, System::nanoTime)
                : new ProgressLine(err, errIsTerminal, System::nanoTime);
    }

    /**
     * Whether a standard stream is a terminal. {@link System#console} cannot tell: it looks at stdin and stdout together, and never at
     * stderr, where progress goes.
     */
    static boolean isTerminal(int descriptor) {
        Path link = Path.of("/proc/self/fd/" + descriptor);
        try {
            String target = Files.readSymbolicLink(link).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return System.console() != null && System.console().isTerminal();
        }
    }
}
