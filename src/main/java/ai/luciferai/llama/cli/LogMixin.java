package ai.luciferai.llama.cli;

import ai.luciferai.llama.NativeMessages;
import java.util.logging.Level;
import java.util.logging.Logger;

/** How much goes to stderr: -q, -v, -vv, on every verb. */
final class LogMixin {

    private static Logger remarks; // kept, because a logger that nobody holds forgets its level

    private LogMixin() {}

    static void declare(Syntax syntax) {
        syntax.group("Process")
                .flag(Isolation.OPTION, "work in a process of its own: when native code ends it, this one says so and ends with 5");
        syntax.group("Messages (stderr)")
                .flag("-q --quiet", "errors only: no progress, no remarks")
                .flag("-v --verbose --log-verbose", "also llama.cpp's log")
                .flag("-vv --debug", "also its debug lines, and stack traces")
                .option("-lv --verbosity --log-verbosity", "N", "the same in llama.cpp's numbers: up to 1 as -q, from 3 as -v, from 5 as -vv")
                .flag("-h --help --usage", "show this");
    }

    /** Sends llama.cpp's log where the verbosity wants it; our own remarks, which go through System.Logger, end with -q. */
    static void route(Environment environment) {
        boolean quiet = environment.verbosity() == Verbosity.QUIET;
        if (quiet || remarks != null) {
            remarks = Logger.getLogger("ai.luciferai.llama");
            remarks.setLevel(quiet ? Level.SEVERE : null);
        }
        switch (environment.verbosity()) {
            case QUIET, NORMAL -> NativeMessages.off();
            case VERBOSE -> NativeMessages.listen(NativeMessages.Level.INFO, environment.err()::println);
            case DEBUG -> NativeMessages.listen(NativeMessages.Level.DEBUG, environment.err()::println);
        }
    }

    static Verbosity verbosity(Arguments a) {
        if (a.has("-vv")) {
            return Verbosity.DEBUG;
        }
        return a.has("-v") ? Verbosity.VERBOSE : a.has("-q") ? Verbosity.QUIET : ofNumber(a.integer("-lv", 2));
    }

    private static Verbosity ofNumber(int level) {
        if (level >= 5) {
            return Verbosity.DEBUG;
        }
        return level >= 3 ? Verbosity.VERBOSE : level <= 1 ? Verbosity.QUIET : Verbosity.NORMAL;
    }
}
