package ai.luciferai.llama.convert;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** What one class remarks meanwhile. */
public final class Said extends Handler implements AutoCloseable {

    private final Logger logger;
    private final List<String> texts = new ArrayList<>();

    public Said(Class<?> by) {
        logger = Logger.getLogger(by.getName());
        logger.addHandler(this);
    }

    public synchronized List<String> texts() {
        return List.copyOf(texts);
    }

    @Override
    public synchronized void publish(LogRecord remark) {
        texts.add(new SimpleFormatter().formatMessage(remark));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
    }
}
