package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.ffi.TrainerHandle.Part;
import ai.luciferai.llama.train.AdapterFile;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Twenty steps of AdamW with clipping and weight decay follow PyTorch PEFT's in float64: the loss and gradient norm of each step, and the
 * adapter at the end. Golden: src/test/fixtures/finetune/make_gradients.py.
 */
class TrainingRunIT {

    private static final Path FIXTURES = Path.of("src/test/fixtures/finetune");

    /** Rounding of floats through twenty updates. */
    private static final double LOSS_TOLERANCE = 1e-5;
    private static final double WEIGHT_TOLERANCE = 1e-4;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void followsPeft(boolean layers) throws IOException {
        JsonNode golden = new JsonMapper().readTree(FIXTURES.resolve("training.json").toFile());
        JsonNode settings = golden.get("settings");
        AdamW adamw = new AdamW(number(settings, "beta1"), number(settings, "beta2"), number(settings, "epsilon"),
                number(settings, "weight_decay"), number(settings, "max_grad_norm"));
        try (Model model = Model.load(FIXTURES.resolve("mistral-f32.gguf"), LoraTrainer.MODEL_OPTIONS);
                LoraTrainer trainer = LoraTrainer.open(model, FIXTURES.resolve("mistral-f32.lora.gguf"),
                        new LoraTrainer.Options(50, 50, layers, 0, 1))) {
            for (int step = 0; step < golden.get("batches").size(); step++) {
                List<LoraTrainer.TrainingSample> batch = samples(golden.get("batches").get(step));
                int learnt = batch.stream().mapToInt(LoraTrainer.TrainingSample::supervisedCount).sum();
                double loss = trainer.accumulate(batch, 0, Cancel.NONE) / learnt;
                LoraTrainer.Step update = trainer.update(adamw, number(settings, "learning_rate"));
                assertFalse(update.skipped());
                near(golden.get("losses").get(step), loss, LOSS_TOLERANCE, "loss of step " + step);
                near(golden.get("grad_norms").get(step), update.gradNorm(), WEIGHT_TOLERANCE, "gradient norm of step " + step);
            }
            for (AdapterFile.Tensor tensor : trainer.tensors(Part.VALUE, "")) {
                double norm = Math.sqrt(sum(tensor.values(), false));
                JsonNode expected = golden.get("adapter").get(tensor.name());
                near(expected.get("norm"), norm, WEIGHT_TOLERANCE, tensor.name());
                assertEquals(expected.get("projection").doubleValue(), sum(tensor.values(), true), WEIGHT_TOLERANCE * norm, tensor.name());
            }
        }
    }

    private static float number(JsonNode object, String key) {
        return (float) object.get(key).doubleValue();
    }

    private static void near(JsonNode expected, double got, double tolerance, String what) {
        assertEquals(expected.doubleValue(), got, tolerance * Math.abs(expected.doubleValue()), what);
    }

    private static List<LoraTrainer.TrainingSample> samples(JsonNode batch) {
        var samples = new ArrayList<LoraTrainer.TrainingSample>();
        for (JsonNode tokens : batch) {
            int[] ids = new JsonMapper().convertValue(tokens, int[].class);
            boolean[] learnt = new boolean[ids.length];
            Arrays.fill(learnt, true);
            samples.add(new LoraTrainer.TrainingSample(ids, learnt));
        }
        return samples;
    }

    /** Of squares, or of products with cos(index). */
    private static double sum(float[] values, boolean projected) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[i] * (projected ? Math.cos(i) : values[i]);
        }
        return sum;
    }
}
