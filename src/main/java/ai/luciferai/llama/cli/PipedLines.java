package ai.luciferai.llama.cli;

import java.io.IOException;

/** Lines of stdin as they are: no prompt, no editing. Ctrl-C ends the process, as for every other command. */
final class PipedLines implements Lines {

    private final Environment environment;

    PipedLines(Environment environment) {
        this.environment = environment;
    }

    @Override
    public String next() throws IOException {
        String line = environment.readLine();
        if (line == null || !line.endsWith("\\")) {
            return line;
        }
        var text = new StringBuilder();
        for (; line != null && line.endsWith("\\"); line = environment.readLine()) {
            text.append(line, 0, line.length() - 1).append('\n');
        }
        return text.append(line == null ? "" : line).toString();
    }

    @Override
    public void onInterrupt(Runnable action) {
        // the request to stop comes through the environment
    }

    @Override
    public void close() {
        // stdin stays
    }
}
