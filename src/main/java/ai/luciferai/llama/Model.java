package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A loaded GGUF model.
 *
 * <p><i>Ownership</i>: of whoever loaded it. Closing it closes the sessions, embedders and adapters that it opened, newest first;
 * while one of them is in use by another thread, closing is refused with {@link ai.luciferai.llama.core.BusyException} and
 * nothing is closed.
 *
 * <p><i>Threads</i>: any number may tokenize, open sessions and read; each session serves one thread at a time.
 */
public final class Model implements AutoCloseable {

    Model() {}

    /** Loads with {@link ModelOptions#defaults()}. */
    public static Model load(Path path) {
        return load(path, ModelOptions.defaults());
    }

    public static Model load(Path path, ModelOptions options) {
        return load(path, options, Progress.NONE, Cancel.NONE);
    }

    /**
     * Loads a model. The file is checked in full before native code sees it.
     *
     * @param path     a GGUF file; of a split model any part, the others beside it
     * @param progress hears of the phase "load", in thousandths
     * @throws ai.luciferai.llama.core.InvalidFileException missing, damaged, or not a model
     * @throws ai.luciferai.llama.core.UnsupportedModelException sound, but this version cannot run it
     * @throws ai.luciferai.llama.core.InvalidOptionException an unknown device, more GPU layers than the model has
     * @throws ai.luciferai.llama.core.CancelledException on request
     */
    public static Model load(Path path, ModelOptions options, Progress progress, Cancel cancel) {
        throw new UnsupportedOperationException();
    }

    /** The built-in model, which turns plain English into shell commands. */
    public static Model embedded() {
        return embedded(ModelOptions.defaults(), Progress.NONE, Cancel.NONE);
    }

    public static Model embedded(ModelOptions options, Progress progress, Cancel cancel) {
        throw new UnsupportedOperationException();
    }

    /** What it is. */
    public ModelInfo info() {
        throw new UnsupportedOperationException();
    }

    /** How it was loaded. */
    public ModelOptions options() {
        throw new UnsupportedOperationException();
    }

    /** Tokens of a text, with {@link TokenizeOptions#defaults()}. */
    public int[] tokenize(String text) {
        return tokenize(text, TokenizeOptions.defaults());
    }

    public int[] tokenize(String text, TokenizeOptions options) {
        throw new UnsupportedOperationException();
    }

    /** Text of tokens, control tokens left out. */
    public String detokenize(int... tokens) {
        return detokenize(tokens, false);
    }

    /** Text of tokens; {@code special}: control tokens too. */
    public String detokenize(int[] tokens, boolean special) {
        throw new UnsupportedOperationException();
    }

    /** Text of one token, control tokens too; half a character becomes U+FFFD. */
    public String tokenText(int token) {
        throw new UnsupportedOperationException();
    }

    /** Whether the token ends a generation. */
    public boolean isEndOfGeneration(int token) {
        throw new UnsupportedOperationException();
    }

    /** llama.cpp's sampling defaults, or those that the model's own metadata gives. */
    public Sampling defaultSampling() {
        throw new UnsupportedOperationException();
    }

    /** Opens a session with {@link ContextOptions#defaults()}. */
    public Session session() {
        return session(ContextOptions.defaults());
    }

    /** Opens a session: a context for one text that grows. */
    public Session session(ContextOptions options) {
        throw new UnsupportedOperationException();
    }

    /** {@link #generateAll(List, GenerateOptions, ContextOptions, Progress, Cancel)} with defaults. */
    public List<Completion> generateAll(List<Prompt> prompts, GenerateOptions options) {
        return generateAll(prompts, options, ContextOptions.defaults(), Progress.NONE, Cancel.NONE);
    }

    /**
     * Completes several prompts side by side, {@link ContextOptions#sequences()} at a time; when one ends, the next takes its place.
     * With greedy sampling the results are those of one session after the other.
     *
     * @param progress hears of the phase "generate", in prompts
     * @return one completion for each prompt, in their order; on cancel the unfinished ones say
     *     {@link StopReason#CANCELLED}
     * @throws ai.luciferai.llama.core.ContextFullException a prompt is longer than a sequence can hold
     */
    public List<Completion> generateAll(List<Prompt> prompts, GenerateOptions options, ContextOptions context,
            Progress progress, Cancel cancel) {
        throw new UnsupportedOperationException();
    }

    /** Opens an embedder with {@link EmbedOptions#defaults()}. */
    public Embedder embedder() {
        return embedder(EmbedOptions.defaults());
    }

    public Embedder embedder(EmbedOptions options) {
        throw new UnsupportedOperationException();
    }

    /**
     * Loads a LoRA adapter for use in sessions.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException not an adapter, or one of another model
     */
    public Adapter loadAdapter(Path path) {
        throw new UnsupportedOperationException();
    }

    /** Source of the model's own chat template. */
    public Optional<String> chatTemplate() {
        throw new UnsupportedOperationException();
    }

    /** Renders messages through llama.cpp's Jinja engine. */
    public RenderedChat renderChat(List<ChatMessage> messages, ChatFormat format) {
        throw new UnsupportedOperationException();
    }

    /** Whether {@link #close()} was called. */
    public boolean isClosed() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
