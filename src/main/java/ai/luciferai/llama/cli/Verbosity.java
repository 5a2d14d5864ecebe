package ai.luciferai.llama.cli;

/** How much goes to stderr. */
enum Verbosity {
    /** Errors. */
    QUIET,
    /** Also progress and remarks. */
    NORMAL,
    /** Also llama.cpp's log. */
    VERBOSE,
    /** Also its debug lines, and stack traces. */
    DEBUG
}
