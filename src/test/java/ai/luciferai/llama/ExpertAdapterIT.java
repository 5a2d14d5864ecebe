package ai.luciferai.llama;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.luciferai.llama.convert.GeneratedCheckpoint;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.ffi.AdapterHandle;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ContextParams;
import ai.luciferai.llama.ffi.ModelHandle;
import ai.luciferai.llama.ffi.ModelParams;
import ai.luciferai.llama.hf.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A converted adapter on experts acts as W + alpha / rank · B · A, which this test adds to each expert of the checkpoint before that is converted. */
class ExpertAdapterIT {

    private static final Path FIXTURES = Path.of(System.getProperty("basedir", "."), "src/test/fixtures/convert");
    private static final int[] TOKENS = {5, 17, 42, 99, 7};

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "qwen3moe"})
    void actsAsTheMergedExperts(String name) throws IOException {
        JsonObject entry = JsonObject.read(FIXTURES.resolve("generated.json")).requireObject(name);
        Map<String, Object> rows = entry.requireObject("tensors").values();
        rows.replaceAll((row, shape) -> shape.toString().replaceFirst("^B?F16", "F32")); // so that the sum is not rounded
        JsonObject adapter = JsonObject.read(FIXTURES.resolve("expert-adapters.json")).requireObject(name);
        Path plain = folder.resolve("plain");
        GeneratedCheckpoint.write(entry, plain);
        Path merged = folder.resolve("merged");
        GeneratedCheckpoint.write(entry, merged);
        GeneratedCheckpoint.writeWeights(entry.requireObject("tensors"), merged.resolve("model.safetensors"), (tensor, data) -> merge(tensor, data, adapter));
        Path factors = folder.resolve("adapter");
        GeneratedCheckpoint.writeAdapter(adapter, factors);
        Path lora = convert(ConvertOptions.of(factors), folder.resolve("lora.gguf"), plain);
        float[] base = logits(convert(ConvertOptions.of(plain), folder.resolve("plain.gguf"), null), null);
        float[] adapted = logits(folder.resolve("plain.gguf"), lora);
        float[] expected = logits(convert(ConvertOptions.of(merged), folder.resolve("merged.gguf"), null), null);
        double moved = distance(base, expected);
        assertTrue(moved > 1e-3, () -> "the adapter changes " + moved);
        assertEquals(0, distance(adapted, expected), 1e-4 * moved); // two orders of one sum of floats
    }

    private static Path convert(ConvertOptions options, Path out, Path base) throws IOException {
        var none = Optional.<String>empty();
        Convert.run(options.withOutfile(out).withType(ConvertType.F32)
                .withDetails(new ConvertOptions.Details(none, none, Optional.empty(), base == null ? Optional.of("gpt-2") : none, Optional.ofNullable(base))), Progress.NONE, Cancel.NONE);
        return out;
    }

    /** W [out, in] + alpha / rank · B [out, rank] · A [rank, in]. */
    private static byte[] merge(String tensor, byte[] data, JsonObject adapter) {
        String module = "base_model.model." + tensor.replaceFirst("\\.weight$", "");
        JsonObject rows = adapter.requireObject("tensors");
        if (!rows.has(module + ".lora_A.weight")) {
            return data;
        }
        float[] a = factor(rows, module + ".lora_A.weight");
        float[] b = factor(rows, module + ".lora_B.weight");
        JsonObject config = adapter.requireObject("config");
        int rank = (int) config.requireWhole("r");
        int in = a.length / rank;
        ByteBuffer out = ByteBuffer.wrap(data.clone()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < b.length / rank * in; i++) {
            double sum = 0;
            for (int r = 0; r < rank; r++) {
                sum += (double) b[i / in * rank + r] * a[r * in + i % in];
            }
            out.putFloat(4 * i, (float) (out.getFloat(4 * i) + config.requireNumber("lora_alpha") / rank * sum));
        }
        return out.array();
    }

    private static float[] factor(JsonObject rows, String name) {
        String[] parts = rows.requireText(name).split(" ");
        byte[] bytes = GeneratedCheckpoint.weights(name, "F32", new long[] {Long.parseLong(parts[1]), Long.parseLong(parts[2])});
        float[] values = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return values;
    }

    private static float[] logits(Path path, Path lora) {
        ModelParams modelParams = ModelParams.defaults();
        modelParams.paths = List.of(path);
        modelParams.nGpuLayers = 0;
        ContextParams contextParams = ContextParams.defaults();
        contextParams.nCtx = 64;
        contextParams.typeK = 0; // F32, as all else here
        contextParams.typeV = 0;
        contextParams.flashAttn = 0; // whose kernel sums in half precision
        contextParams.nThreads = 1;
        contextParams.nThreadsBatch = 1;
        try (ModelHandle model = ModelHandle.load(modelParams, Progress.NONE, Cancel.NONE);
                AdapterHandle adapter = lora == null ? null : AdapterHandle.load(model, lora);
                ContextHandle context = ContextHandle.init(model, contextParams)) {
            if (adapter != null) {
                context.setAdapters(List.of(adapter), new float[] {1});
            }
            return run(context);
        }
    }

    private static float[] run(ContextHandle context) {
        for (int i = 0; i < TOKENS.length; i++) {
            context.batch().add(TOKENS[i], i, 0, i == TOKENS.length - 1);
        }
        context.decode(Cancel.NONE);
        return context.logits(-1).clone();
    }

    private static double distance(float[] a, float[] b) {
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }
}
