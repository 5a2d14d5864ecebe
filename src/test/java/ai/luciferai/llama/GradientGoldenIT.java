package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.ffi.TrainerHandle.Part;
import ai.luciferai.llama.train.AdapterFile;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Loss and gradients equal PyTorch PEFT's in float64 on the same dequantized weights: five architectures, four types, both memory
 * modes. Goldens: src/test/fixtures/finetune/make_gradients.py.
 */
class GradientGoldenIT {

    private static final Path FIXTURES = Path.of("src/test/fixtures/finetune");

    /** Float arithmetic against double; the wider bound is for single values, which may be small beside their tensor's norm. */
    private static final double NORM_TOLERANCE = 1e-5;
    private static final double VALUE_TOLERANCE = 2e-5;

    @ParameterizedTest
    @CsvSource({"qwen3-f32,false", "qwen3-f16,false", "qwen3-bf16,false", "qwen3-q8_0,false", "gemma2-f32,false", "stablelm-f32,false",
        "phi3-f32,false", "gpt2-f32,false", "qwen3-q8_0,true", "gemma2-f32,true"})
    void equalsPeft(String name, boolean layers) throws IOException {
        JsonNode golden = new JsonMapper().readTree(FIXTURES.resolve("gradients.json").toFile()).get(name);
        int[] tokens = new JsonMapper().convertValue(golden.get("tokens"), int[].class);
        boolean[] learnt = new boolean[tokens.length];
        Arrays.fill(learnt, true);
        int n = tokens.length - 1;
        try (Model model = Model.load(FIXTURES.resolve(name + ".gguf"), LoraTrainer.MODEL_OPTIONS);
                LoraTrainer trainer = LoraTrainer.open(model, FIXTURES.resolve(name + ".lora.gguf"),
                        new LoraTrainer.Options(48, 44, layers, 0, 1))) {
            double loss = trainer.accumulate(List.of(new LoraTrainer.TrainingSample(tokens, learnt)), 0, Cancel.NONE) / n;
            assertEquals(golden.get("loss").doubleValue(), loss, 1e-6 * loss);
            List<AdapterFile.Tensor> gradients = trainer.tensors(Part.GRADIENT, "");
            assertEquals(golden.get("gradients").size(), gradients.size());
            for (AdapterFile.Tensor gradient : gradients) {
                compare(golden.get("gradients").get(gradient.name()), gradient, n);
            }
        }
    }

    private static void compare(JsonNode expected, AdapterFile.Tensor gradient, int n) {
        double norm = expected.get("norm").doubleValue();
        double sum = 0;
        for (float g : gradient.values()) {
            sum += (double) g * g;
        }
        assertEquals(norm, Math.sqrt(sum) / n, NORM_TOLERANCE * norm, gradient.name());
        for (int i = 0; i < expected.get("first").size(); i++) {
            double difference = Math.abs(expected.get("first").get(i).doubleValue() - gradient.values()[i] / n);
            assertTrue(difference <= VALUE_TOLERANCE * norm, gradient.name() + "[" + i + "] is off by " + difference);
        }
    }
}
