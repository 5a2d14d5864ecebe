package ai.luciferai.llama.cli;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.logging.Formatter;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogManager;
import java.util.logging.LogRecord;

/** The library's remarks, which go through System.Logger, as one plain line on stderr each, like those of the commands. */
public final class Remarks extends Handler {

    private static final String CONFIGURATION = "java.util.logging.config.";

    private final PrintStream err;

    /** Made by the log manager, by name. */
    public Remarks() {
        this(new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8));
    }

    Remarks(PrintStream err) {
        this.err = err;
        setFormatter(new Line());
    }

    /**
     * Has remarks printed so in this process, unless its user configures logging. Only a property is set: most runs have nothing to remark,
     * and should not wait for java.util.logging to be loaded.
     */
    static void inThisProcess() {
        if (System.getProperty(CONFIGURATION + "file") == null && System.getProperty(CONFIGURATION + "class") == null) {
            System.setProperty(CONFIGURATION + "class", Configuration.class.getName());
        }
    }

    @Override
    public void publish(LogRecord remark) {
        if (isLoggable(remark)) {
            err.println((ProgressLine.onTerminal() ? "\r\033[K" : "") + getFormatter().format(remark));
        }
    }

    @Override
    public void flush() {
        err.flush();
    }

    @Override
    public void close() {
        flush();
    }

    /** What the log manager makes when the first remark comes. */
    public static final class Configuration {

        /** Sets the handler of all loggers. */
        public Configuration() throws IOException {
            String properties = "handlers = " + Remarks.class.getName() + "\n.level = INFO\n";
            LogManager.getLogManager().readConfiguration(new ByteArrayInputStream(properties.getBytes(StandardCharsets.UTF_8)));
        }
    }

    private static final class Line extends Formatter {

        @Override
        public String format(LogRecord remark) {
            return (remark.getLevel().intValue() >= Level.WARNING.intValue() ? "warning: " : "") + formatMessage(remark)
                    + (remark.getThrown() == null ? "" : ": " + remark.getThrown());
        }
    }
}
