package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.BridgeException;
import ai.luciferai.llama.gguf.CorruptFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * No file may end the process: the catalogue of damaged files, and mutants, through {@link Info} and {@link Model#load}. The seed is
 * fixed, so that a build says the same twice; {@code -Dfuzz.seed} looks further, {@code -Dfuzz.mutants} longer.
 */
class LoadFuzzIT {

    private static final long SEED = 1_824_613_581L;
    private static final int MUTANTS = Integer.getInteger("fuzz.mutants", 3000);
    private static final int SECONDS_WITHOUT_A_WORD = 60;

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void damagedFileIsRefused(CorruptFile corrupt) throws IOException {
        Path path = corrupt.write(folder);
        BridgeException refusal = assertThrows(BridgeException.class, () -> Model.load(path).close());
        assertEquals(corrupt.exception(), refusal.getClass(), refusal.getMessage());
        assertTrue(refusal.getMessage().contains(corrupt.message()), refusal.getMessage());
        if (corrupt.readable()) {
            InfoReport report = Info.run(InfoOptions.of(path));
            InfoReport.Contents other = contents(corrupt);
            if (other == null) {
                assertTrue(report.problem().contains(corrupt.message()), report.problem());
            } else {
                assertEquals(List.of(other, ""), List.of(report.contents(), report.problem()));
            }
        }
    }

    /** What is sound, but no model, is no problem for {@link Info}: it says what it is. Null for models. */
    private static InfoReport.Contents contents(CorruptFile corrupt) {
        return switch (corrupt) {
            case ADAPTER -> InfoReport.Contents.ADAPTER;
            case IMPORTANCE_MATRIX -> InfoReport.Contents.IMPORTANCE_MATRIX;
            case IMAGE_ENCODER -> InfoReport.Contents.PROJECTOR;
            default -> null;
        };
    }

    @Test
    void noMutantEndsTheProcess() throws Exception {
        long seed = Long.getLong("fuzz.seed", SEED);
        System.out.println("LoadFuzzIT: -Dfuzz.seed=" + seed + " -Dfuzz.mutants=" + MUTANTS);
        var options = new ArrayList<>(List.of("-Xmx1g"));
        String library = System.getProperty("ai.luciferai.llama.native");
        if (library != null) {
            options.add("-Dai.luciferai.llama.native=" + library);
        }
        var arguments = new ArrayList<>(List.of(folder.toString(), Long.toString(seed), Integer.toString(MUTANTS)));
        String models = System.getProperty("fuzz.models");
        if (models != null) {
            arguments.addAll(List.of(models.split(",")));
        }
        System.out.println("LoadFuzzIT: " + FuzzProcess.run(LoadFuzz.class, folder, SECONDS_WITHOUT_A_WORD, options, arguments));
    }
}
