package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** The embedded model as tests use it: on the CPU, with one thread, which is the quickest for so small a model. */
final class Tiny {

    static final String QUESTION = "list files\n";
    static final ContextOptions CONTEXT = ContextOptions.defaults().withThreads(1);

    private Tiny() {}

    static ModelOptions options() {
        return ModelOptions.defaults().withGpuLayers(GpuLayers.NONE);
    }

    static Model load() {
        return Model.embedded(options(), Progress.NONE, Cancel.NONE);
    }

    static GenerateOptions greedy(int maxTokens) {
        return GenerateOptions.defaults().withMaxTokens(maxTokens).withSampling(Sampling.greedy());
    }

    /** Never ends by itself. */
    static GenerateOptions endless() {
        return GenerateOptions.defaults().withSampling(Sampling.greedy()).withIgnoreEos(true);
    }

    /** Runs on another thread, waits, and throws here what it threw there. */
    static void elsewhere(Runnable work) {
        try {
            CompletableFuture.runAsync(work).join();
        } catch (CompletionException e) {
            throw (RuntimeException) e.getCause();
        }
    }
}
