package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * A context for one text that grows. A call whose prompt starts as the text of the call before computes only what is new.
 *
 * <p><i>Ownership</i>: of whoever called {@link Model#session}; closed with the model at the latest. <i>Threads</i>: one at a time; a
 * second one, also one that closes it, gets {@link ai.luciferai.llama.core.BusyException}.
 */
public final class Session implements AutoCloseable {

    Session() {}

    /** The model it belongs to. */
    public Model model() {
        throw new UnsupportedOperationException();
    }

    /** How it was opened. */
    public ContextOptions options() {
        throw new UnsupportedOperationException();
    }

    /** Tokens it can hold. */
    public int contextSize() {
        throw new UnsupportedOperationException();
    }

    /** Tokens it holds. */
    public int[] tokens() {
        throw new UnsupportedOperationException();
    }

    /** Completes a prompt. */
    public Completion complete(Prompt prompt, GenerateOptions options) {
        return complete(prompt, options, token -> {}, Cancel.NONE);
    }

    /**
     * Completes a prompt.
     *
     * @param listener hears of every token as it comes, on this thread; what it throws ends the generation and reaches the caller
     * @param cancel   ends it within one token, with {@link StopReason#CANCELLED}
     * @throws ai.luciferai.llama.core.ContextFullException the prompt is longer than the context
     */
    public Completion complete(Prompt prompt, GenerateOptions options, Consumer<Token> listener, Cancel cancel) {
        try (Generation generation = generate(prompt, options, cancel)) {
            while (generation.hasNext()) {
                listener.accept(generation.next());
            }
            return generation.completion();
        }
    }

    /** Starts a generation that is pulled token by token. */
    public Generation generate(Prompt prompt, GenerateOptions options) {
        return generate(prompt, options, Cancel.NONE);
    }

    /** Starts a generation that is pulled token by token. The session serves only it until it ends or is closed. */
    public Generation generate(Prompt prompt, GenerateOptions options, Cancel cancel) {
        throw new UnsupportedOperationException();
    }

    /** Starts a conversation in this session. */
    public Chat chat(ChatOptions options) {
        throw new UnsupportedOperationException();
    }

    /** The adapters in use. */
    public List<AdapterScale> adapters() {
        throw new UnsupportedOperationException();
    }

    /** Replaces the adapters in use, without loading anything. What the session holds is computed anew at the next call. */
    public void adapters(List<AdapterScale> adapters) {
        throw new UnsupportedOperationException();
    }

    /** Changes the number of threads. */
    public void threads(Threads threads) {
        throw new UnsupportedOperationException();
    }

    /** Forgets everything. */
    public void clear() {
        throw new UnsupportedOperationException();
    }

    /** Writes what the session holds to a file, whole or not at all. */
    public void save(Path path) {
        throw new UnsupportedOperationException();
    }

    /**
     * Replaces what the session holds by a saved state.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException damaged, or of another model; the session is then empty
     */
    public void load(Path path) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
