package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.NativeLibraryException;
import java.lang.foreign.FunctionDescriptor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The library loaded ahead, in JVMs of their own: it loads once for each. */
class PrepareIT {

    /** How long the process lives after it: it ends before, in the middle of and after the loading. */
    @ParameterizedTest
    @ValueSource(ints = {0, 5, 20, 60, 300})
    void aProcessMayEndMeanwhile(int millis) throws Exception {
        var result = ForkedJvm.run(Ending.class, List.of(), Integer.toString(millis));
        assertEquals(7, result.exit(), result.err());
        assertEquals("", result.err());
    }

    @Test
    void theModelThatIsLoadedNextComputes() throws Exception {
        var result = ForkedJvm.run(Loading.class, List.of());
        assertEquals("computed", result.out().strip(), result.err());
    }

    @Test
    void aMissingLibraryIsReportedByTheLoad() throws Exception {
        var result = ForkedJvm.run(Missing.class, List.of("-D" + LibraryLookup.PROPERTY + "=/no/such/folder"));
        assertEquals(0, result.exit(), result.err());
        assertEquals("", result.err());
    }

    /** Each shape costs a start some 5 ms; see the header's conventions. */
    @Test
    void whatLiesBeforeTheFirstTokenHasTwoShapes() throws Exception {
        NativeLibrary.require();
        Set<FunctionDescriptor> shapes = new HashSet<>();
        for (String function : List.of("lucifer_abi_version", "lucifer_init", "lucifer_model_params_init", "lucifer_model_load",
                "lucifer_model_describe", "lucifer_context_params_init", "lucifer_context_init", "lucifer_context_describe",
                "lucifer_sampler_params_init", "lucifer_sampler_init", "lucifer_tokenize", "lucifer_context_decode",
                "lucifer_sampler_sample", "lucifer_token_piece")) {
            shapes.add((FunctionDescriptor) lucifer_llama_h.class.getMethod(function + "$descriptor").invoke(null));
        }
        assertEquals(2, shapes.size(), shapes.toString());
    }

    static final class Ending {

        public static void main(String[] args) throws InterruptedException {
            NativeLibrary.prepare();
            Thread.sleep(Integer.parseInt(args[0]));
            System.exit(7);
        }
    }

    static final class Loading {

        public static void main(String[] args) {
            NativeLibrary.prepare();
            try (ModelHandle model = TinyModel.load(); ContextHandle context = TinyModel.context(model)) {
                TinyModel.fill(context, 4);
                context.decode(Cancel.NONE);
                System.out.println("computed");
            }
        }
    }

    static final class Missing {

        public static void main(String[] args) {
            NativeLibrary.prepare();
            assertThrows(NativeLibraryException.class, NativeLibrary::require);
        }
    }
}
