package ai.luciferai.llama.ffi;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.List;

/** The embedded model, for tests of handles: small enough to be loaded by each test. */
final class TinyModel {

    static final Path FILE = root().resolve("src/main/resources/ai/luciferai/llama/lucifer-tiny-f16.gguf");
    static final Path ADAPTER = root().resolve("src/test/fixtures/lora/tiny-lora.gguf");

    private TinyModel() {}

    static Path root() {
        return Path.of(System.getProperty("basedir", "")).toAbsolutePath();
    }

    static ModelParams params() {
        ModelParams params = ModelParams.defaults();
        params.paths = List.of(FILE);
        params.nGpuLayers = 0;
        return params;
    }

    static ModelHandle load() {
        return ModelHandle.load(params(), Progress.NONE, Cancel.NONE);
    }

    static ContextHandle context(ModelHandle model) {
        ContextParams params = ContextParams.defaults();
        params.nCtx = 512;
        params.nBatch = 512;
        params.nThreads = 1;
        params.nThreadsBatch = 1;
        return ContextHandle.init(model, params);
    }

    static SamplerHandle greedy(ModelHandle model) {
        SamplerParams params = SamplerParams.defaults(model);
        params.temperature = 0;
        return SamplerHandle.init(model, params, Cancel.NONE);
    }

    /** Puts n tokens at the start of sequence 0 into the batch; the last one has logits. */
    static void fill(ContextHandle context, int n) {
        context.batch().clear();
        for (int i = 0; i < n; i++) {
            context.batch().add(1 + i % 100, i, 0, i == n - 1);
        }
    }
}
