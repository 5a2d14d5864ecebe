package ai.luciferai.llama.ffi;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.NativeCallException;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The loss's scale during the reverse pass: powers of two, so that in F32 nothing but an overflow can tell them apart. */
class LossScaleIT {

    private static final Path FIXTURES = TinyModel.root().resolve("src/test/fixtures/finetune");

    private record Trained(float[] gradient, float scale) {}

    private static Trained train(float scale) {
        ModelParams params = ModelParams.defaults();
        params.paths = List.of(FIXTURES.resolve("qwen3-f32.gguf"));
        params.nGpuLayers = 0;
        params.useExtraBufts = false;
        try (ModelHandle model = ModelHandle.load(params, Progress.NONE, Cancel.NONE);
                AdapterHandle adapter = AdapterHandle.load(model, FIXTURES.resolve("qwen3-f32.lora.gguf"));
                TrainerHandle trainer = TrainerHandle.init(model, adapter, new TrainerHandle.Params(8, 7, 1, false, TrainerHandle.Arithmetic.EXACT, 0, scale))) {
            int[] tokens = {1, 7, 3, 9, 4, 6, 2, 8};
            float[] weights = new float[7];
            Arrays.fill(weights, 1);
            trainer.run(new TrainerHandle.Rows(tokens, new int[] {0, 1, 2, 3, 4, 5, 6, 7}, new int[8], new int[] {0, 1, 2, 3, 4, 5, 6},
                    Arrays.copyOfRange(tokens, 1, 8), weights, 0), true, Cancel.NONE);
            return new Trained(trainer.read(0, TrainerHandle.Part.GRADIENT), trainer.describe().lossScale());
        }
    }

    @Test
    void leavesNoTraceInTheGradients() {
        Trained plain = train(1);
        Trained scaled = train(4096);
        assertEquals(4096, scaled.scale());
        assertArrayEquals(plain.gradient(), scaled.gradient());
    }

    @Test
    void isHalvedUntilNothingOverflows() {
        float first = 0x1p127f;
        Trained scaled = train(first);
        assertTrue(scaled.scale() < first && scaled.scale() > 1, Float.toString(scaled.scale()));
        assertArrayEquals(train(1).gradient(), scaled.gradient());
    }

    @Test
    void isAPowerOfTwo() {
        assertTrue(assertThrows(NativeCallException.class, () -> train(3)).getMessage().contains("loss_scale is 3"));
    }
}
