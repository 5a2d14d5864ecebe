package ai.luciferai.llama;

import ai.luciferai.llama.core.BusyException;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.SamplerHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A context for one text that grows. A call whose prompt starts as the text of the call before computes only what is new.
 *
 * <p><i>Ownership</i>: of whoever called {@link Model#session}; closed with the model at the latest. <i>Threads</i>: one at a time; a
 * second one, also one that closes it, gets {@link ai.luciferai.llama.core.BusyException}.
 */
public final class Session implements AutoCloseable {

    private final Model model;
    private final ContextOptions options;
    private final ContextHandle context;
    private final SequenceDecoder decoder;
    private final Occupancy occupancy;
    private final Child child;
    private List<AdapterScale> adapters;
    private Generation open;

    Session(Model model, ContextOptions options, ContextHandle context) {
        this.model = model;
        this.options = options;
        this.context = context;
        this.decoder = new SequenceDecoder(context, model.handle().description());
        this.occupancy = new Occupancy(context.name());
        this.child = Child.of(occupancy, this::release);
        this.adapters = model.defaultAdapters();
    }

    /** The model it belongs to. */
    public Model model() {
        return model;
    }

    /** How it was opened. */
    public ContextOptions options() {
        return options;
    }

    /** Tokens it can hold. */
    public int contextSize() {
        return context.description().nCtxSeq();
    }

    /** Tokens it holds. */
    public int[] tokens() {
        return inside("tokens", decoder::tokens);
    }

    /** Completes a prompt. */
    public Completion complete(Prompt prompt, GenerateOptions generateOptions) {
        return complete(prompt, generateOptions, token -> {}, Cancel.NONE);
    }

    /**
     * Completes a prompt.
     *
     * @param listener hears of every token as it comes, on this thread; what it throws ends the generation and reaches the caller
     * @param cancel   ends it within one token, with {@link StopReason#CANCELLED}
     * @throws ContextFullException the prompt is longer than the context
     */
    public Completion complete(Prompt prompt, GenerateOptions generateOptions, Consumer<Token> listener, Cancel cancel) {
        return complete(tokens(prompt, cancel), GenerationPlan.of(generateOptions), listener, cancel);
    }

    Completion complete(int[] prompt, GenerationPlan plan, Consumer<Token> listener, Cancel cancel) {
        return inside("generate", () -> {
            try (Generation generation = generate(prompt, plan, cancel)) {
                while (generation.hasNext()) {
                    listener.accept(generation.next());
                }
                return generation.completion();
            }
        });
    }

    /** Starts a generation that is pulled token by token. */
    public Generation generate(Prompt prompt, GenerateOptions generateOptions) {
        return generate(prompt, generateOptions, Cancel.NONE);
    }

    /** Starts a generation that is pulled token by token. The session serves only it until it ends or is closed. */
    public Generation generate(Prompt prompt, GenerateOptions generateOptions, Cancel cancel) {
        return generate(tokens(prompt, cancel), GenerationPlan.of(generateOptions), cancel);
    }

    private Generation generate(int[] prompt, GenerationPlan plan, Cancel cancel) {
        return between("generate", () -> {
            PhaseClock clock = new PhaseClock();
            clock.enter();
            requirePromptFits(prompt.length);
            SamplerHandle sampler = SamplerSetup.sampler(model.handle(), plan, decoder.before(prompt), contextSize(), cancel);
            try {
                int reused = decoder.keepPrefix(prompt, plan.options().reusePrefix());
                open = new Generation(this, plan, sampler, prompt, reused, cancel, clock);
                clock.leave();
                return open;
            } catch (RuntimeException e) {
                sampler.close();
                throw e;
            }
        });
    }

    private int[] tokens(Prompt prompt, Cancel cancel) {
        if (prompt instanceof Prompt.Text text) {
            LeastTokens.requireFits("prompt", text.text(), contextSize(), model);
        }
        return model.tokens(prompt, cancel);
    }

    /** An encoder computes a prompt in one piece. */
    private void requirePromptFits(int tokens) {
        requireFits("prompt", tokens);
        int most = context.description().nUbatch();
        if (model.info().kind().encoder() && tokens > most) {
            throw new ContextFullException("prompt, which the encoder reads in one micro-batch (--ubatch-size)", tokens, most);
        }
    }

    void requireFits(String what, int tokens) {
        if (tokens > contextSize()) {
            throw new ContextFullException(what, tokens, contextSize());
        }
    }

    /** Starts a conversation in this session. */
    public Chat chat(ChatOptions chatOptions) {
        return inside("chat", () -> new Chat(this, chatOptions));
    }

    /** The adapters in use. */
    public List<AdapterScale> adapters() {
        return inside("adapters", () -> adapters);
    }

    /** Replaces the adapters in use, without loading anything. What the session holds is computed anew at the next call. */
    public void adapters(List<AdapterScale> replacement) {
        between("set adapters", () -> {
            List<AdapterScale> next = List.copyOf(replacement);
            next.forEach(this::requireOfThisModel);
            AdapterScale.apply(next, context);
            adapters = next;
            decoder.clear();
            return null;
        });
    }

    private void requireOfThisModel(AdapterScale a) {
        if (a.adapter().model() != model) {
            throw new InvalidOptionException("adapter", "one that was loaded by this session's model", a.adapter().path());
        }
    }

    /** Changes the number of threads. */
    public void threads(Threads threads) {
        between("set threads", () -> {
            context.setThreads(threads.generation(), threads.prompt());
            return null;
        });
    }

    /** Forgets everything. */
    public void clear() {
        between("clear", () -> {
            decoder.clear();
            return null;
        });
    }

    /** Writes what the session holds to a file, whole or not at all; a file of that name is replaced. */
    public void save(Path path) {
        between("save", () -> {
            model.requireCausal("saving a state"); // what an encoder has read is not in it
            new StateFile(path, model.info().path()).write(decoder::save);
            return null;
        });
    }

    /**
     * Replaces what the session holds by a saved state.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException damaged, of another model, too long for this session, or not what a session
     *     saves; the session is as before
     */
    public void load(Path path) {
        between("load", () -> {
            model.requireCausal("loading a state");
            new StateFile(path, model.info().path()).read(decoder::load);
            return null;
        });
    }

    /** Runs with this thread inside. */
    private <T> T inside(String operation, Supplier<T> work) {
        occupancy.enter(operation);
        try {
            return work.get();
        } finally {
            occupancy.leave();
        }
    }

    /** Runs with this thread inside and no generation open, for what would change the text under it. */
    private <T> T between(String operation, Supplier<T> work) {
        return inside(operation, () -> {
            if (open != null) {
                throw new BusyException(context.name(), "a generation that is still open");
            }
            return work.get();
        });
    }

    void ended(Generation generation) {
        if (open == generation) {
            open = null;
        }
    }

    boolean hasRoom() {
        return decoder.size() < contextSize();
    }

    Child child() {
        return child;
    }

    Occupancy occupancy() {
        return occupancy;
    }

    SequenceDecoder decoder() {
        return decoder;
    }

    ContextHandle context() {
        return context;
    }

    Vocabulary vocabulary() {
        return model.vocabulary();
    }

    @Override
    public void close() {
        if (occupancy.closeOnce()) {
            release();
        }
    }

    private void release() {
        if (open != null) {
            open.abandon();
        }
        context.close();
        model.children().remove(child);
    }
}
