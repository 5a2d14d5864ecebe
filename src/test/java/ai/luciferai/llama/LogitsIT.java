package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.AdapterHandle;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ContextParams;
import ai.luciferai.llama.ffi.ModelHandle;
import ai.luciferai.llama.ffi.ModelParams;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Logits are, bit for bit, those of {@code src/test/fixtures/reference.cpp}, a program that uses llama.h and nothing of ours, run
 * beside this test with the same libraries: no tolerance, on any CPU. {@link GenerateGoldenIT} compares with recorded ones.
 */
class LogitsIT {

    private static final Path MODEL = Path.of(System.getProperty("basedir", "."), "src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf");
    private static final int STEPS = 8;

    @TestFactory
    Stream<DynamicTest> equalTheReferenceProgramsBitForBit() {
        return Goldens.read("golden/logits.jsonl").stream().map(g -> DynamicTest.dynamicTest(Goldens.command(g), () -> {
            int[] prompt = Goldens.ints(g.get("prompt"));
            float scale = (float) g.get("lora_scale").asDouble();
            JsonNode reference = reference(prompt, scale);
            List<String> expected = new ArrayList<>();
            reference.get("steps").forEach(step -> expected.add(step.get("digest").asText()));
            assertEquals(expected, digests(prompt, scale, Goldens.ints(reference.get("tokens"))));
        }));
    }

    /** Digests of the logits behind the prompt, and behind each of the tokens but the last. */
    private static List<String> digests(int[] prompt, float scale, int[] tokens) {
        ModelParams modelParams = ModelParams.defaults();
        modelParams.paths = List.of(MODEL);
        modelParams.nGpuLayers = 0;
        ContextParams contextParams = ContextParams.defaults();
        contextParams.nCtx = 0;
        contextParams.nBatch = 2048;
        contextParams.nThreads = 1;
        contextParams.nThreadsBatch = 1;
        List<String> digests = new ArrayList<>();
        try (ModelHandle model = ModelHandle.load(modelParams, Progress.NONE, Cancel.NONE);
                AdapterHandle adapter = AdapterHandle.load(model, Goldens.adapter());
                ContextHandle context = ContextHandle.init(model, contextParams)) {
            if (scale != 0) {
                context.setAdapters(List.of(adapter), new float[] {scale});
            }
            for (int i = 0; i < prompt.length; i++) {
                context.batch().add(prompt[i], i, 0, i == prompt.length - 1);
            }
            for (int i = 0; i < tokens.length; i++) {
                context.decode(Cancel.NONE);
                digests.add(fnv1a(context.logits(-1)));
                context.batch().clear().add(tokens[i], prompt.length + i, 0, true);
            }
        }
        return digests;
    }

    private static String fnv1a(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        long hash = 0xcbf29ce484222325L;
        for (byte b : bytes.array()) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return "%016x".formatted(hash);
    }

    @ParameterizedTest
    @EnumSource(names = {"MEAN", "CLS", "LAST"})
    void embeddingsEqualTheReferenceProgramsBitForBit(Pooling pooling) throws Exception {
        EmbedOptions options = EmbedOptions.defaults().withPooling(pooling).withNormalise(false).withContext(Goldens.context());
        List<String> texts = List.of("list files in src directory", "find the postgres process", "x");
        try (Model model = Model.load(MODEL, Goldens.onCpu()); Embedder embedder = model.embedder(options)) {
            for (String text : texts) {
                JsonNode reference = Goldens.reference(MODEL, model.tokenize(text), "--embed", Integer.toString(pooling.code()));
                assertEquals(reference.get("digest").asText(), fnv1a(embedder.embed(text)), text);
            }
        }
    }

    private static JsonNode reference(int[] prompt, float scale) throws Exception {
        List<String> options = new ArrayList<>(List.of("-n", Integer.toString(STEPS), "--logits"));
        if (scale != 0) {
            options.addAll(List.of("-l", Goldens.adapter().toString(), Float.toString(scale)));
        }
        return Goldens.reference(MODEL, prompt, options.toArray(String[]::new));
    }
}
