package ai.luciferai.llama.convert;

import ai.luciferai.llama.FuzzProcess;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No input may crash a conversion, hang it, or make it take memory without bound: the catalogue of hostile inputs, then mutants of every
 * kind of input file, in a process with a small heap. The seed is fixed, so that a build says the same twice; {@code -Dfuzz.seed} looks
 * further, {@code -Dfuzz.rounds} longer.
 */
class ConvertFuzzTest {

    private static final int SECONDS_WITHOUT_A_WORD = 40;

    @TempDir
    Path folder;

    @Test
    void mutantsEndInATypedErrorOrSuccess() throws Exception {
        long seed = Long.getLong("fuzz.seed", 20260101);
        int rounds = Integer.getInteger("fuzz.rounds", 20);
        System.out.println("ConvertFuzzTest: -Dfuzz.seed=" + seed + " -Dfuzz.rounds=" + rounds + ": "
                + FuzzProcess.run(ConvertFuzz.class, folder, SECONDS_WITHOUT_A_WORD, List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError"),
                        List.of(folder.toString(), Long.toString(seed), Integer.toString(rounds))));
    }
}
