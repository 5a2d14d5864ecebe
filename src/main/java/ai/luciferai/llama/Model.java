package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ClosedException;
import ai.luciferai.llama.core.InvalidFileException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.ffi.AdapterHandle;
import ai.luciferai.llama.ffi.ChatTemplates;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ContextParams;
import ai.luciferai.llama.ffi.ModelHandle;
import ai.luciferai.llama.ffi.NativeLibrary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A loaded GGUF model.
 *
 * <p><i>Ownership</i>: of whoever loaded it. Closing it closes the sessions, embedders and adapters that it opened, newest first;
 * while one of them is in use by another thread, closing is refused with {@link ai.luciferai.llama.core.BusyException} and
 * none is closed.
 *
 * <p><i>Threads</i>: any number may tokenize, open sessions and read; each session serves one thread at a time.
 */
public final class Model implements AutoCloseable {

    private final ModelHandle handle;
    private final ModelOptions options;
    private final ModelInfo info;
    private final TokenTable vocabulary;
    private final Children children = new Children();
    private final List<AdapterScale> defaultAdapters;

    /** Takes over the handle, also when it fails. */
    Model(ModelHandle handle, ModelOptions options, boolean causal) {
        try {
            this.handle = handle;
            this.options = options;
            this.info = ModelInfo.of(handle, causal);
            this.vocabulary = new TokenTable(handle);
            this.defaultAdapters = options.adapters().stream()
                    .map(source -> new AdapterScale(loadAdapter(source.path()), source.scale())).toList();
        } catch (RuntimeException e) {
            handle.close();
            throw e;
        }
    }

    /**
     * Begins to load the native library, on a thread of its own, and returns at once. For a program that has other work before its
     * first {@link #load}, as a command has that reads its options: the load is then the sooner done. What fails is reported there.
     */
    public static void prepare() {
        NativeLibrary.prepare();
    }

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
     * @param path     a GGUF file; of a split model its first part, the others beside it
     * @param progress hears of the phase "load", in thousandths
     * @throws ai.luciferai.llama.core.InvalidFileException missing, damaged, or not a model
     * @throws ai.luciferai.llama.core.UnsupportedModelException sound, but this version cannot run it
     * @throws ai.luciferai.llama.core.InvalidOptionException an unknown device, more GPU layers than the model has
     * @throws ai.luciferai.llama.core.CancelledException on request
     */
    public static Model load(Path path, ModelOptions options, Progress progress, Cancel cancel) {
        return ModelLoader.load(path, options, progress, cancel);
    }

    /** The built-in model, which turns plain English into shell commands. */
    public static Model embedded() {
        return embedded(ModelOptions.defaults(), Progress.NONE, Cancel.NONE);
    }

    public static Model embedded(ModelOptions options, Progress progress, Cancel cancel) {
        try {
            return load(EmbeddedModel.path(), options, progress, cancel);
        } catch (InvalidFileException e) {
            if (!EmbeddedModel.mend()) {
                throw e;
            }
            return load(EmbeddedModel.path(), options, progress, cancel);
        }
    }

    /** What it is. */
    public ModelInfo info() {
        return info;
    }

    /** How it was loaded. */
    public ModelOptions options() {
        return options;
    }

    /** Tokens of a text, with {@link TokenizeOptions#defaults()}. */
    public int[] tokenize(String text) {
        return tokenize(text, TokenizeOptions.defaults());
    }

    public int[] tokenize(String text, TokenizeOptions tokenizeOptions) {
        return tokenize(text, tokenizeOptions, Cancel.NONE);
    }

    /**
     * Tokens of a text, which takes a second for some megabytes.
     *
     * @throws ai.luciferai.llama.core.CancelledException on request
     */
    public int[] tokenize(String text, TokenizeOptions tokenizeOptions, Cancel cancel) {
        requireVocabulary();
        return handle.tokenize(text, tokenizeOptions.addSpecial(), tokenizeOptions.parseSpecial(), cancel);
    }

    private void requireVocabulary() {
        requireOpen();
        if (!info.kind().vocabulary()) {
            throw new UnsupportedModelException(info.path(), "text", "a model with a vocabulary", "none in the file");
        }
    }

    /** Text of tokens, control tokens left out. */
    public String detokenize(int... tokens) {
        return detokenize(tokens, false);
    }

    /** Text of tokens; {@code special}: control tokens too. */
    public String detokenize(int[] tokens, boolean special) {
        requireVocabulary();
        return new String(handle.detokenize(tokens, false, special), StandardCharsets.UTF_8);
    }

    /** Text of one token, control tokens too; half a character becomes U+FFFD. */
    public String tokenText(int token) {
        requireVocabulary();
        return vocabulary.text(token);
    }

    /** Whether the token ends a generation. */
    public boolean isEndOfGeneration(int token) {
        requireOpen();
        return vocabulary.isEndOfGeneration(token);
    }

    /** llama.cpp's sampling defaults, or those that the model's own metadata gives. */
    public Sampling defaultSampling() {
        return SamplerSetup.defaults(handle);
    }

    /** Opens a session with {@link ContextOptions#defaults()}. */
    public Session session() {
        return session(ContextOptions.defaults());
    }

    /** Opens a session: a context for one text that grows. */
    public Session session(ContextOptions contextOptions) {
        requireGenerates();
        int size = ContextSetup.contextSize(contextOptions, handle.description());
        ContextHandle context = context(ContextSetup.params(contextOptions, size, 1));
        if (!context.description().hasMemory()) {
            context.close();
            throw notGenerating("an encoder");
        }
        Session session = new Session(this, contextOptions, context);
        children.add(session.child());
        return session;
    }

    /** A context with the adapters that the model was loaded with. */
    ContextHandle context(ContextParams params) {
        ContextHandle context = ContextHandle.init(handle, params);
        try {
            if (!defaultAdapters.isEmpty()) {
                AdapterScale.apply(defaultAdapters, context);
            }
            return context;
        } catch (RuntimeException e) {
            context.close();
            throw e;
        }
    }

    private void requireGenerates() {
        requireVocabulary();
        requireWeights();
        if (!info.kind().decoder() || info.kind().diffusion()) {
            throw notGenerating(info.kind().diffusion() ? "a diffusion model" : "an encoder");
        }
    }

    private UnsupportedModelException notGenerating(String kind) {
        return new UnsupportedModelException(info.path(), "text generation", "a language model with a decoder", kind,
                "an encoder can make embeddings: the command embed, or Model.embedder");
    }

    /** For what needs a text's tokens to be predicted from those before them: no encoder either. */
    void requireCausal(String operation) {
        requireGenerates();
        if (info.kind().encoder()) {
            throw new UnsupportedModelException(info.path(), operation, "a causal language model", "an encoder-decoder model",
                    "such a model can generate");
        }
    }

    private void requireWeights() {
        Check.require(!options.vocabOnly(), "vocab-only", "false for anything but tokenizing", true);
    }

    /** {@link #generateAll(List, GenerateOptions, ContextOptions, Progress, Cancel)} with defaults. */
    public List<Completion> generateAll(List<Prompt> prompts, GenerateOptions generateOptions) {
        return generateAll(prompts, generateOptions, ContextOptions.defaults(), Progress.NONE, Cancel.NONE);
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
    public List<Completion> generateAll(List<Prompt> prompts, GenerateOptions generateOptions, ContextOptions contextOptions,
            Progress progress, Cancel cancel) {
        requireGenerates();
        List<int[]> tokens = prompts.stream().map(prompt -> tokens(prompt, cancel)).toList();
        if (tokens.isEmpty()) {
            return List.of();
        }
        if (info.kind().encoder()) {
            return oneByOne(tokens, generateOptions, contextOptions, Progress.guarded(progress), cancel);
        }
        try (BatchGenerator generator = BatchGenerator.open(this, tokens, generateOptions, contextOptions)) {
            children.add(generator);
            return generator.run(Progress.guarded(progress), cancel);
        }
    }

    /** A context holds one encoded prompt. */
    private List<Completion> oneByOne(List<int[]> prompts, GenerateOptions generateOptions, ContextOptions contextOptions,
            Progress progress, Cancel cancel) {
        List<Completion> completions = new ArrayList<>();
        try (Session session = session(contextOptions)) {
            for (int[] prompt : prompts) {
                completions.add(session.complete(prompt, GenerationPlan.of(generateOptions), token -> {}, cancel));
                progress.update(new Progress.Event("generate", completions.size(), prompts.size(), "prompts"));
            }
        }
        return completions;
    }

    /** The ids of a prompt, checked. */
    int[] tokens(Prompt prompt, Cancel cancel) {
        int[] ids = switch (prompt) {
            case Prompt.Text text -> tokenize(text.text(), text.options(), cancel);
            case Prompt.Tokens tokens -> tokens.ids();
        };
        Check.require(ids.length > 0, "prompt", "at least one token", "an empty prompt");
        for (int id : ids) {
            Check.require(id >= 0 && id < vocabulary.size(), "prompt", "token ids from 0 to " + (vocabulary.size() - 1), id);
        }
        return ids;
    }

    /** Opens an embedder with {@link EmbedOptions#defaults()}. */
    public Embedder embedder() {
        return embedder(EmbedOptions.defaults());
    }

    public Embedder embedder(EmbedOptions embedOptions) {
        requireVocabulary();
        requireWeights();
        Embedder embedder = Embedder.open(this, embedOptions);
        children.add(embedder.child());
        return embedder;
    }

    /**
     * Loads a LoRA adapter for use in sessions.
     *
     * @throws ai.luciferai.llama.core.InvalidFileException not an adapter, or one of another model
     */
    public Adapter loadAdapter(Path path) {
        LoadCheck.adapter(path, info.path());
        return new Adapter(this, AdapterHandle.load(handle, path));
    }

    /** Source of the model's own chat template. */
    public Optional<String> chatTemplate() {
        return ChatTemplates.template(handle, null);
    }

    /**
     * Renders messages through llama.cpp's Jinja engine.
     *
     * @throws UnsupportedModelException the model has no template, and none is given
     * @throws InvalidOptionException    the template does not parse, or cannot render these messages
     */
    public RenderedChat renderChat(List<ChatMessage> messages, ChatFormat format) {
        requireVocabulary();
        String template = format.template().isOwn() ? null : format.template().source();
        try {
            RenderedChat chat = ChatJson.response(ChatTemplates.render(handle, template, ChatJson.request(messages, format)));
            return ToolForm.kept(chat, format.tools());
        } catch (InvalidOptionException e) {
            throw format.template().file().map(file -> new InvalidOptionException(e.option(), e.expected(), file + ": " + e.got(), e.hint())).orElse(e);
        }
    }

    /** Whether {@link #close()} was called. */
    public boolean isClosed() {
        return handle.isClosed();
    }

    private void requireOpen() {
        if (handle.isClosed()) {
            throw new ClosedException(handle.name());
        }
    }

    ModelHandle handle() {
        return handle;
    }

    TokenTable vocabulary() {
        return vocabulary;
    }

    Children children() {
        return children;
    }

    List<AdapterScale> defaultAdapters() {
        return defaultAdapters;
    }

    @Override
    public void close() {
        children.closeAll("closing of " + handle.name());
        handle.close();
    }

    @Override
    public String toString() {
        return handle.toString();
    }
}
