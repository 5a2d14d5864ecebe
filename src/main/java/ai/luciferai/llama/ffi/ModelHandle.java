package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.bindings.lucifer_model_info;
import ai.luciferai.llama.bindings.lucifer_piece;
import ai.luciferai.llama.bindings.lucifer_tokens;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.core.Progress;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * A loaded model with its vocabulary.
 *
 * <p><i>Ownership</i>: owns its contexts, samplers and adapters, see {@link NativeHandle}.
 *
 * <p><i>Threads</i>: every method here may be called by any number of threads at once; the native object is only read.
 */
public final class ModelHandle extends NativeHandle {

    private final Path path;
    private final ModelDescription description;
    private final AtomicInteger nextContext = new AtomicInteger(1);
    private final AtomicInteger nextSampler = new AtomicInteger(1);

    /** Bytes of the tokens seen so far, with text of control tokens and without. */
    private final AtomicReferenceArray<byte[]> pieces;
    private final AtomicReferenceArray<byte[]> plainPieces;

    /** The tokens that end a generation. */
    private final BitSet ends = new BitSet();

    private ModelHandle(Path path, MemorySegment raw) {
        super(path.getFileName().toString(), null, raw, lucifer_llama_h::lucifer_model_free);
        this.path = path;
        try {
            this.description = describe();
        } catch (RuntimeException fault) {
            close();
            throw fault;
        }
        this.pieces = new AtomicReferenceArray<>(description.nVocab());
        this.plainPieces = new AtomicReferenceArray<>(description.nVocab());
    }

    /**
     * Loads a model. The files must have passed the check of the GGUF reader: this is no place for hostile input.
     *
     * @param progress hears "load", in thousandths
     */
    public static ModelHandle load(ModelParams params, Progress progress, Cancel cancel) {
        NativeLibrary.require();
        if (params.paths.isEmpty()) {
            throw new InvalidOptionException("paths", "one file, or all parts of a split model", "none");
        }
        Path path = params.paths.getFirst();
        try (Arena arena = Arena.ofConfined(); var poller = new ProgressPoller(progress, 2, ModelHandle::loaded)) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            int status = lucifer_model_load(params.toNative(arena, poller.cells(), Computing.begin(cancel)), out);
            Status.check(status, "lucifer_model_load",
                    Status.About.model(path).andOption("model", "options that this model can use", null));
            return new ModelHandle(path, out.get(ValueLayout.ADDRESS, 0));
        } finally {
            Computing.end();
            Reference.reachabilityFence(cancel);
        }
    }

    private static Progress.Event loaded(long[] doneAndTotal) {
        return new Progress.Event("load", doneAndTotal[0], doneAndTotal[1], "thousandths");
    }

    private ModelDescription describe() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_model_info.allocate(arena);
            lucifer_model_info.struct_size(struct, lucifer_model_info.sizeof());
            Status.check(lucifer_model_describe(shared(), struct), "lucifer_model_describe");
            long nEog = lucifer_model_info.n_eog(struct);
            MemorySegment eog = lucifer_model_info.eog(struct).reinterpret(nEog * Integer.BYTES);
            for (long i = 0; i < nEog; i++) {
                ends.set(eog.getAtIndex(ValueLayout.JAVA_INT, i));
            }
            return ModelDescription.of(struct);
        }
    }

    /** The (first) file it was loaded from. */
    public Path path() {
        return path;
    }

    /** What it is. */
    public ModelDescription description() {
        return description;
    }

    String nextContextName() {
        return "context #" + nextContext.getAndIncrement() + " of " + name();
    }

    String nextSamplerName() {
        return "sampler #" + nextSampler.getAndIncrement() + " of " + name();
    }

    /**
     * Tokens of a text.
     *
     * @param addSpecial   whether what the vocabulary wants at the start and end is added
     * @param parseSpecial whether control tokens written in the text become these tokens
     */
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial, Cancel cancel) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            Cancel polled = Computing.begin(cancel);
            MemorySegment struct = lucifer_tokens.allocate(arena);
            lucifer_tokens.struct_size(struct, lucifer_tokens.sizeof());
            lucifer_tokens.text(struct, arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8));
            lucifer_tokens.n_bytes(struct, utf8.length);
            lucifer_tokens.cancel(struct, polled.segment());
            lucifer_tokens.add_special(struct, addSpecial ? 1 : 0);
            lucifer_tokens.parse_special(struct, parseSpecial ? 1 : 0);
            MemorySegment tokens = room(arena, struct, utf8.length / 2 + 16);
            int status = lucifer_tokenize(shared(), struct);
            if (status == Status.BUFFER_TOO_SMALL) {
                tokens = room(arena, struct, lucifer_tokens.n_tokens(struct));
                status = lucifer_tokenize(shared(), struct);
            }
            Status.check(status, "lucifer_tokenize", Status.About.model(path).andOption("text", "one that takes less to tokenize", null));
            return tokens.asSlice(0, 4L * lucifer_tokens.n_tokens(struct)).toArray(ValueLayout.JAVA_INT);
        } catch (IllegalStateException fault) {
            throw explained(fault);
        } finally {
            Computing.end();
            Reference.reachabilityFence(cancel);
        }
    }

    private static MemorySegment room(Arena arena, MemorySegment struct, int cap) {
        MemorySegment tokens = arena.allocate(ValueLayout.JAVA_INT, cap);
        lucifer_tokens.tokens(struct, tokens);
        lucifer_tokens.cap(struct, cap);
        return tokens;
    }

    /**
     * Bytes of one token, which may be a part of a character's UTF-8. Remembered: asking again costs no native call.
     *
     * @param special whether control tokens have text too
     * @return the cached array: do not change it
     */
    public byte[] piece(int token, boolean special) {
        requireToken(token);
        var cache = special ? pieces : plainPieces;
        byte[] piece = cache.get(token);
        if (piece == null) {
            piece = text("lucifer_token_piece", 64, (buffer, capacity, length) -> piece(token, special, buffer, length));
            cache.set(token, piece);
        }
        return piece;
    }

    private int piece(int token, boolean special, MemorySegment buffer, MemorySegment length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_piece.allocate(arena);
            lucifer_piece.struct_size(struct, lucifer_piece.sizeof());
            lucifer_piece.buf(struct, buffer);
            lucifer_piece.cap(struct, (int) buffer.byteSize());
            lucifer_piece.token(struct, token);
            lucifer_piece.special(struct, special ? 1 : 0);
            int status = lucifer_token_piece(shared(), struct);
            length.set(ValueLayout.JAVA_LONG, 0, lucifer_piece.len(struct));
            return status;
        }
    }

    /** Text of tokens as bytes; parts of characters at the ends stay parts. */
    public byte[] detokenize(int[] tokens, boolean removeSpecial, boolean unparseSpecial) {
        for (int token : tokens) {
            requireToken(token);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment in = arena.allocateFrom(ValueLayout.JAVA_INT, tokens);
            return text("lucifer_detokenize", 8 * tokens.length + 64, (buffer, capacity, length) ->
                    lucifer_detokenize(shared(), in, tokens.length, removeSpecial ? 1 : 0, unparseSpecial ? 1 : 0,
                            buffer, capacity, length));
        }
    }

    /** Whether a generation ends with this token. */
    public boolean endsGeneration(int token) {
        requireToken(token);
        return ends.get(token);
    }

    private byte[] text(String function, int guess, NativeText.Source source) {
        try {
            return NativeText.bytes(function, guess, Status.About.model(path), source);
        } catch (IllegalStateException fault) {
            throw explained(fault);
        }
    }

    private void requireToken(int token) {
        if (token < 0 || token >= description.nVocab()) {
            throw new InvalidOptionException("token", "an id from 0 to " + (description.nVocab() - 1), token);
        }
    }
}
