package ai.luciferai.llama.cli;

import ai.luciferai.llama.core.InvalidOptionException;
import java.io.IOException;

/** One text from -p, -f or stdin, taken as it is. */
final class TextMixin {

    private TextMixin() {}

    static void declare(Syntax syntax) {
        syntax.group("Text")
                .option("-p --prompt", "TEXT", "the text; without -p and -f it comes from stdin")
                .option("-f --file", "FILE", "a file with it; -: stdin")
                .flag("--stdin", "from stdin, as without -p and -f");
    }

    static String read(Arguments a, Environment environment) throws IOException {
        if (a.has("-p") && a.has("-f")) {
            throw new InvalidOptionException(a.typed("-f"), "one text", "a file beside " + a.typed("-p"));
        }
        if (a.has("--stdin") && (a.has("-p") || a.has("-f"))) {
            throw new InvalidOptionException("--stdin", "one text", "this beside " + a.typed(a.has("-p") ? "-p" : "-f"));
        }
        if (a.has("-p")) {
            return a.text("-p");
        }
        return a.has("-f") && !a.text("-f").equals("-") ? TextFile.read(a.typed("-f"), a.text("-f")) : environment.readAll();
    }
}
