package ai.luciferai.llama;

import ai.luciferai.llama.ffi.ModelDescription;
import ai.luciferai.llama.ffi.ModelHandle;
import java.nio.file.Path;

/**
 * What a loaded model is.
 *
 * @param path         the file, or the first part of a split model
 * @param description  architecture, size and number format: "llama 1B Q4_K - Medium"
 * @param parameters   number of weights
 * @param sizeBytes    of all tensors
 * @param contextSize  tokens of context it was trained with
 * @param shape        dimensions
 * @param kind         how it computes
 * @param special      its special tokens
 * @param gpuLayers    layers on a GPU, as asked for or as fitted
 * @param fittedContextSize context size that {@link GpuLayers#AUTO} fitted; 0: nothing was fitted
 */
public record ModelInfo(Path path, String description, long parameters, long sizeBytes, int contextSize, Shape shape, Kind kind,
        SpecialTokens special, int gpuLayers, int fittedContextSize) {

    /** Dimensions: {@code embedding} is the width of the hidden state, {@code slidingWindow} is 0 when there is none. */
    public record Shape(int embedding, int embeddingOut, int layers, int heads, int headsKv, int vocabulary, int classes,
            int slidingWindow) {}

    /**
     * How the model computes.
     *
     * @param encoder    whether tokens see those after them, for embeddings
     * @param decoder    whether tokens see only those before them, for generation
     * @param vocabulary whether the file has one, without which there is no text
     * @param pooling    {@link Pooling#AUTO} when the file says nothing
     */
    public record Kind(boolean encoder, boolean decoder, boolean recurrent, boolean hybrid, boolean diffusion, boolean vocabulary,
            Pooling pooling) {}

    /** Token ids, -1 where there is none; {@code addBos} and {@code addEos} say what tokenizing adds. */
    public record SpecialTokens(int bos, int eos, int eot, int separator, int newline, int padding, boolean addBos,
            boolean addEos) {}

    static ModelInfo of(ModelHandle handle, boolean causal) {
        ModelDescription d = handle.description();
        return new ModelInfo(handle.path(), d.description(), d.nParams(), d.sizeBytes(), d.nCtxTrain(),
                new Shape(d.nEmbd(), d.nEmbdOut(), d.nLayer(), d.nHead(), d.nHeadKv(), d.nVocab(), d.nClsOut(), d.nSwa()),
                new Kind(d.hasEncoder() || !causal, d.hasDecoder() && causal, d.isRecurrent(), d.isHybrid(), d.isDiffusion(),
                        d.vocabType() != 0, Pooling.of(d.poolingType())),
                new SpecialTokens(d.tokenBos(), d.tokenEos(), d.tokenEot(), d.tokenSep(), d.tokenNl(), d.tokenPad(), d.addBos(),
                        d.addEos()),
                d.nGpuLayers(), d.fitNCtx());
    }
}
