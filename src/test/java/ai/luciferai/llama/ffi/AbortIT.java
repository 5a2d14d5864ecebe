package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.NativeCallException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Native code that throws or aborts: an exception where that is possible, last words where it is not. Always in a forked JVM. */
class AbortIT {

    private static final String ENDS_PROCESS = "ASSERTION_IN_GRAPH.*";

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ENDS_PROCESS)
    void faultBecomesExceptionAndProcessLives(NativeLibrary.Fault fault) throws Exception {
        var result = ForkedJvm.run(Provoked.class, List.of(), fault.name());
        assertEquals(0, result.exit(), result.err());
        String status = fault == NativeLibrary.Fault.EXCEPTION ? "EXCEPTION" : "ABORTED";
        assertTrue(result.out().contains("caught " + status + ": "), result.out());
        assertTrue(result.out().contains("alive"), result.out());
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_ANY, names = ENDS_PROCESS)
    void faultInsideGraphEndsProcessWithLastWords(NativeLibrary.Fault fault) throws Exception {
        var result = ForkedJvm.run(Provoked.class, List.of(), fault.name());
        assertNotEquals(0, result.exit());
        assertTrue(result.err().contains("lucifer-llama: fatal: "), result.err());
        assertTrue(result.err().contains("provoked inside a graph"), result.err());
        assertTrue(result.err().contains("lucifer_provoke"), result.err());
    }

    @Test
    void messageNamesTheAssertion() throws Exception {
        var result = ForkedJvm.run(Provoked.class, List.of(), "ASSERTION");
        assertTrue(result.out().contains("GGML_ASSERT"), result.out());
    }

    /** Provokes one fault, then uses the library once more. */
    static final class Provoked {

        public static void main(String[] args) {
            try {
                NativeLibrary.require().provoke(NativeLibrary.Fault.valueOf(args[0]));
            } catch (NativeCallException e) {
                System.out.println("caught " + e.status() + ": " + e.getMessage());
            }
            try (ModelHandle model = TinyModel.load(); ContextHandle context = TinyModel.context(model)) {
                TinyModel.fill(context, 4);
                context.decode(Cancel.NONE);
                System.out.println("alive");
            }
        }
    }
}
