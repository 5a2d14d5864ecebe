package ai.luciferai.llama.cli;

import java.util.List;

/** Options of llama.cpp's programs that ask for what happens here anyway. */
final class AcceptedMixin {

    /** What stands for "no colours". */
    static final List<String> UNCOLOURED = List.of("off", "auto", "0", "disabled", "false", "-1");

    private AcceptedMixin() {}

    /** @param flags those of the verb's own program, with blanks between them */
    static Syntax declare(Syntax syntax, String flags) {
        String common = "--log-disable --no-log-prefix --no-log-timestamps --no-log-jsonl --no-perf --offline --op-offload";
        return syntax.group("Accepted for llama.cpp's sake, without effect")
                .flag(flags.isEmpty() ? common : common + " " + flags, "these ask for what happens here anyway")
                .accepted("--log-colors", UNCOLOURED, "messages have no colours")
                .option("-dt --defrag-thold", "X", "llama.cpp passes over it as well");
    }
}
