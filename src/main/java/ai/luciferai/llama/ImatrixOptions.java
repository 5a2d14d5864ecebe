package ai.luciferai.llama;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@link Imatrix} is to do.
 *
 * @param model          the file; empty: the embedded model
 * @param text           what the model reads; empty: only {@code inputs} are added up
 * @param output         where the importance matrix goes
 * @param inputs         importance matrices to add to, of either of llama.cpp's formats
 * @param chunkSize      tokens that the model reads at once, or {@link #AUTO_CHUNK}
 * @param firstChunk     so many chunks of the text are left out
 * @param chunks         most chunks to read; -1: all
 * @param processOutput  whether {@code output.weight} gets an entry too
 * @param parseSpecial   whether texts such as {@code <|im_start|>} are control tokens
 * @param perplexity     whether the text's perplexity is computed beside it
 * @param checkpoints    when what is there is written before the end
 * @param force          whether an existing output may be replaced
 */
public record ImatrixOptions(Optional<Path> model, Optional<Path> text, Path output, List<Path> inputs, int chunkSize, int firstChunk,
        int chunks, boolean processOutput, boolean parseSpecial, boolean perplexity, Checkpoints checkpoints, boolean force,
        ModelOptions modelOptions, ContextOptions contextOptions) {

    /** Fewer tokens at once are not collected: llama.cpp takes them for single steps. */
    static final int LEAST_CHUNK = 16;

    /** Tokens of a chunk when nobody says how many, as in llama.cpp's tools. */
    public static final int CHUNK = 512;

    /** {@value #CHUNK}, or what the model was trained with when that is less. */
    public static final int AUTO_CHUNK = 0;

    /**
     * Writing before the end.
     *
     * @param every       the output is replaced after so many chunks; 0: never
     * @param copiesEvery a copy named OUTPUT.at_N is kept after so many chunks; 0: never
     */
    public record Checkpoints(int every, int copiesEvery) {

        public Checkpoints {
            Check.atLeast("output-frequency", every, 0);
            Check.atLeast("save-frequency", copiesEvery, 0);
        }

        /** As llama-imatrix: the output every ten chunks. */
        public static Checkpoints defaults() {
            return new Checkpoints(10, 0);
        }
    }

    public ImatrixOptions {
        Check.present("model", model);
        Check.present("text", text);
        Check.present("output", output);
        inputs = List.copyOf(inputs);
        Check.require(text.isPresent() || !inputs.isEmpty(), "file", "a text, or importance matrices to add up", "neither");
        Check.require(chunkSize == AUTO_CHUNK || chunkSize >= LEAST_CHUNK, "ctx-size", "at least " + LEAST_CHUNK, chunkSize);
        Check.atLeast("chunk", firstChunk, 0);
        Check.require(chunks == -1 || chunks > 0, "chunks", "-1 for all, or at least 1", chunks);
        Check.present("checkpoints", checkpoints);
        Check.present("model options", modelOptions);
        Check.present("context options", contextOptions);
    }

    /** As llama-imatrix does it without options. */
    public static ImatrixOptions of(Path model, Path text, Path output) {
        return new ImatrixOptions(Optional.of(model), Optional.of(text), output, List.of(), AUTO_CHUNK, 0, -1, false, false, true,
                Checkpoints.defaults(), false, ModelOptions.defaults(), ContextOptions.defaults());
    }

    /** Adds up importance matrices. */
    public static ImatrixOptions merge(List<Path> inputs, Path output) {
        return new ImatrixOptions(Optional.empty(), Optional.empty(), output, inputs, AUTO_CHUNK, 0, -1, false, false, false,
                Checkpoints.defaults(), false, ModelOptions.defaults(), ContextOptions.defaults());
    }

    public ImatrixOptions withModel(Optional<Path> v) {
        return new ImatrixOptions(v, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, parseSpecial, perplexity,
                checkpoints, force, modelOptions, contextOptions);
    }

    public ImatrixOptions withInputs(List<Path> v) {
        return new ImatrixOptions(model, text, output, v, chunkSize, firstChunk, chunks, processOutput, parseSpecial, perplexity,
                checkpoints, force, modelOptions, contextOptions);
    }

    /** Chunks of this size; of these the first left out, and at most so many read. */
    public ImatrixOptions withChunks(int size, int first, int most) {
        return new ImatrixOptions(model, text, output, inputs, size, first, most, processOutput, parseSpecial, perplexity,
                checkpoints, force, modelOptions, contextOptions);
    }

    public ImatrixOptions withProcessOutput(boolean v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, v, parseSpecial, perplexity,
                checkpoints, force, modelOptions, contextOptions);
    }

    public ImatrixOptions withParseSpecial(boolean v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, v, perplexity,
                checkpoints, force, modelOptions, contextOptions);
    }

    public ImatrixOptions withPerplexity(boolean v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, parseSpecial, v,
                checkpoints, force, modelOptions, contextOptions);
    }

    public ImatrixOptions withCheckpoints(Checkpoints v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, parseSpecial, perplexity,
                v, force, modelOptions, contextOptions);
    }

    public ImatrixOptions withForce(boolean v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, parseSpecial, perplexity,
                checkpoints, v, modelOptions, contextOptions);
    }

    public ImatrixOptions withModelOptions(ModelOptions v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, parseSpecial, perplexity,
                checkpoints, force, v, contextOptions);
    }

    public ImatrixOptions withContextOptions(ContextOptions v) {
        return new ImatrixOptions(model, text, output, inputs, chunkSize, firstChunk, chunks, processOutput, parseSpecial, perplexity,
                checkpoints, force, modelOptions, v);
    }

    /** The copy that is kept after so many chunks. */
    Path copy(long chunks) {
        return output.resolveSibling(output.getFileName() + ".at_" + chunks);
    }
}
