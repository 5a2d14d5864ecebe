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
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Loss and gradients equal PyTorch PEFT's in float64 on the same dequantized weights: every architecture of the goldens, five types, both
 * memory modes. Goldens: src/test/fixtures/finetune/make_gradients.py.
 */
class GradientGoldenIT {

    private static final Path FIXTURES = Path.of("src/test/fixtures/finetune");

    /** Float arithmetic against double; the wider bound is for single values, which may be small beside their tensor's norm. */
    private static final double NORM_TOLERANCE = 1e-5;
    private static final double VALUE_TOLERANCE = 2e-5;

    private static JsonNode goldens() throws IOException {
        return new JsonMapper().readTree(FIXTURES.resolve("gradients.json").toFile());
    }

    private static final int ROWS = 48;

    /**
     * All in one piece; some layer by layer, where weights are read in the model's type instead of kept in F32; some with a trainer for far
     * more rows than are used.
     */
    static Stream<Arguments> cases() throws IOException {
        Iterable<String> names = goldens()::fieldNames;
        return Stream.of(StreamSupport.stream(names.spliterator(), false).map(name -> Arguments.of(name, false, ROWS)),
                StreamSupport.stream(names.spliterator(), false).filter(name -> !name.endsWith("-f32")).map(name -> Arguments.of(name, true, ROWS)),
                Stream.of("gemma2-f32", "qwen2moe-f32").map(name -> Arguments.of(name, true, ROWS)),
                Stream.of("qwen3-q8_0", "gemma2-f32", "qwen2moe-f32").flatMap(name -> Stream.of(Arguments.of(name, false, 300),
                        Arguments.of(name, true, 300)))).flatMap(cases -> cases);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void equalsPeft(String name, boolean layers, int rows) throws IOException {
        JsonNode golden = goldens().get(name);
        int[] tokens = new JsonMapper().convertValue(golden.get("tokens"), int[].class);
        boolean[] learnt = new boolean[tokens.length];
        Arrays.fill(learnt, true);
        int n = tokens.length - 1;
        try (Model model = Model.load(FIXTURES.resolve(name + ".gguf"), LoraTrainer.MODEL_OPTIONS);
                LoraTrainer trainer = LoraTrainer.open(model, FIXTURES.resolve(name + ".lora.gguf"),
                        new LoraTrainer.Options(rows, rows - 4, layers, 0, 1))) {
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
        double projection = 0;
        for (int i = 0; i < gradient.values().length; i++) {
            double g = gradient.values()[i];
            sum += g * g;
            projection += g * Math.cos(i);
        }
        assertEquals(norm, Math.sqrt(sum) / n, NORM_TOLERANCE * norm, gradient.name());
        assertEquals(expected.get("projection").doubleValue(), projection / n, NORM_TOLERANCE * norm, gradient.name());
        for (int i = 0; i < expected.get("first").size(); i++) {
            double difference = Math.abs(expected.get("first").get(i).doubleValue() - gradient.values()[i] / n);
            assertTrue(difference <= VALUE_TOLERANCE * norm, gradient.name() + "[" + i + "] is off by " + difference);
        }
    }
}
