package ai.luciferai.llama;

import ai.luciferai.llama.core.Limits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No file and no text may end the process, or come back as an exception that is not ours: damaged inputs of the verbs, in a process with a small
 * heap. The seed is fixed, so that a build says the same twice; {@code -Dfuzz.seed} looks further, {@code -Dfuzz.rounds} longer.
 */
class InputsFuzzIT {

    private static final int SECONDS_WITHOUT_A_WORD = 60;

    @TempDir
    Path folder;

    @Test
    void noInputEndsTheProcess() throws Exception {
        long seed = Long.getLong("fuzz.seed", 20261128);
        int rounds = Integer.getInteger("fuzz.rounds", 25);
        var options = new ArrayList<>(List.of("-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-D" + Limits.SECONDS + "=2", "-D" + Limits.MIB + "=64"));
        String library = System.getProperty("ai.luciferai.llama.native");
        if (library != null) {
            options.add("-Dai.luciferai.llama.native=" + library);
        }
        System.out.println("InputsFuzzIT: -Dfuzz.seed=" + seed + " -Dfuzz.rounds=" + rounds + ": "
                + FuzzProcess.run(InputsFuzz.class, folder, SECONDS_WITHOUT_A_WORD, options,
                        List.of(folder.toString(), Long.toString(seed), Integer.toString(rounds))));
    }
}
