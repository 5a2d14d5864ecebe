package ai.luciferai.llama.ffi;

import static ai.luciferai.llama.bindings.lucifer_llama_h.*;

import ai.luciferai.llama.bindings.lucifer_context_info;
import ai.luciferai.llama.bindings.lucifer_llama_h;
import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.core.ContextFullException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a model computes: sequences of tokens with their memory (KV cache).
 *
 * <p><i>Ownership</i>: a child of its model; owns its {@link Batch}.
 *
 * <p><i>Threads</i>: one at a time, see {@link NativeHandle}; only the {@link Cancel} of a running {@link #decode} is for others.
 *
 * <p><i>Errors</i>: after a caught assertion every call is a {@link ai.luciferai.llama.core.NativeCallException} with status POISONED;
 * only {@link #close} remains.
 */
public final class ContextHandle extends NativeHandle {

    private final ModelHandle model;
    private final ContextDescription initial;
    private final Batch batch;
    /** Room for the results of one call: written by C, read before the next call. */
    private final MemorySegment out;
    /** Room for one vocabulary's logits or one embedding, made when first needed. */
    private MemorySegment floats = MemorySegment.NULL;
    private List<AdapterHandle> adapters = List.of();

    private ContextHandle(ModelHandle model, MemorySegment raw) {
        super(model.nextContextName(), model, raw, lucifer_llama_h::lucifer_context_free);
        this.model = model;
        try {
            this.initial = describe();
            this.batch = new Batch(this, initial.nBatch());
            this.out = arena().allocate(64, 8);
        } catch (RuntimeException fault) {
            close();
            throw fault;
        }
    }

    /** Makes a context. */
    public static ContextHandle init(ModelHandle model, ContextParams params) {
        return model.adopt(() -> {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
                int status = lucifer_context_init(params.toNative(arena, model), pointer);
                Status.check(status, "lucifer_context_init",
                        Status.About.model(model.path()).andOption("context", "options that this model can use", null));
                return new ContextHandle(model, pointer.get(ValueLayout.ADDRESS, 0));
            }
        });
    }

    /** The model that computes. */
    public ModelHandle model() {
        return model;
    }

    /** The context as it came out of {@link #init}. */
    public ContextDescription description() {
        return initial;
    }

    /** The context as it is now. */
    public ContextDescription describe() {
        MemorySegment context = claim("describe");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment struct = lucifer_context_info.allocate(arena);
            lucifer_context_info.struct_size(struct, lucifer_context_info.sizeof());
            Status.check(lucifer_context_describe(context, struct), "lucifer_context_describe");
            return ContextDescription.of(struct);
        } finally {
            release();
        }
    }

    /** Changes the number of threads: for single tokens, and for prompts; 0 as in {@link ContextParams}. */
    public void setThreads(int nThreads, int nThreadsBatch) {
        MemorySegment context = claim("set threads");
        try {
            Status.check(lucifer_context_set_threads(context, nThreads, nThreadsBatch), "lucifer_context_set_threads",
                    Status.About.option("threads", "no negative numbers", nThreads + ", " + nThreadsBatch));
        } finally {
            release();
        }
    }

    /**
     * Replaces the set of active adapters; an empty list switches all off.
     *
     * @param scales one for each adapter
     */
    public void setAdapters(List<AdapterHandle> active, float[] scales) {
        MemorySegment context = claim("set adapters");
        // From here on none of them can be closed: the context is about to point to them.
        var held = new ArrayList<AdapterHandle>();
        try (Arena arena = Arena.ofConfined()) {
            for (AdapterHandle adapter : active) {
                adapter.usedBy(this);
                held.add(adapter);
            }
            MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, Math.max(1, active.size()));
            for (int i = 0; i < active.size(); i++) {
                pointers.setAtIndex(ValueLayout.ADDRESS, i, active.get(i).shared());
            }
            MemorySegment factors = arena.allocateFrom(ValueLayout.JAVA_FLOAT, scales);
            int status = lucifer_context_set_adapters(context, pointers, factors, active.size());
            Status.check(status, "lucifer_context_set_adapters", Status.About.model(model.path()));
            adapters.forEach(adapter -> adapter.unusedBy(this));
            adapters = List.copyOf(held);
            held.clear();
            model.renew(this);
        } finally {
            held.forEach(adapter -> adapter.unusedBy(this));
            release();
        }
    }

    /** The tokens of the next {@link #decode}. */
    public Batch batch() {
        return batch;
    }

    /**
     * Computes the batch; which tokens get logits was said when they were added. The batch is kept, so that it can be tried again.
     *
     * @throws ContextFullException when there is no room; nothing was computed
     * @throws CancelledException   when the flag was set; sequences keep what was computed, see {@link #posMax}
     */
    public void decode(Cancel cancel) {
        MemorySegment context = claim("decode");
        try {
            Cancel polled = Computing.begin(cancel);
            int status = lucifer_context_decode(context, batch.toNative(polled));
            if (status == Status.CONTEXT_FULL) {
                throw new ContextFullException("a batch of " + batch.size() + " tokens in " + name(), batch.size(), initial.nCtx());
            }
            Status.check(status, "lucifer_context_decode", Status.About.model(model.path()));
        } finally {
            Computing.end();
            release();
        }
    }

    /**
     * Encodes the batch, for models with an encoder and a decoder: the next {@link #decode} calls attend to the result, the first
     * of them with the model's {@code decoderStart}.
     */
    public void encode(Cancel cancel) {
        MemorySegment context = claim("encode");
        try {
            Cancel polled = Computing.begin(cancel);
            int status = lucifer_context_encode(context, batch.toNative(polled));
            Status.check(status, "lucifer_context_encode", Status.About.model(model.path()));
        } finally {
            Computing.end();
            release();
        }
    }

    /** Logits over the vocabulary of the batch's token {@code index}; -1: of the last one that has any. */
    public float[] logits(int index) {
        float[] logits = new float[model.description().nVocab()];
        logits(index, logits);
        return logits;
    }

    /** {@link #logits(int)} into an array of the caller's, as long as the vocabulary. */
    public void logits(int index, float[] into) {
        MemorySegment context = claim("logits");
        try {
            MemorySegment room = floats(into.length);
            Status.check(lucifer_context_logits(context, index, room, into.length), "lucifer_context_logits");
            MemorySegment.copy(room, ValueLayout.JAVA_FLOAT, 0, into, 0, into.length);
        } finally {
            release();
        }
    }

    /**
     * Natural-log probabilities under the unmodified distribution.
     *
     * @param token    of the token that was asked for
     * @param topIds   the most probable tokens, most probable first
     * @param top      theirs
     */
    public record Logprobs(float token, int[] topIds, float[] top) {}

    /** Log-probabilities at the batch's token {@code index}: of one token, and of the {@code nTop} most probable. */
    public Logprobs logprobs(int index, int token, int nTop) {
        MemorySegment context = claim("logprobs");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ids = arena.allocate(ValueLayout.JAVA_INT, Math.max(1, nTop));
            MemorySegment values = arena.allocate(ValueLayout.JAVA_FLOAT, Math.max(1, nTop));
            Status.check(lucifer_context_logprobs(context, index, token, out, nTop, ids, values), "lucifer_context_logprobs");
            return new Logprobs(out.get(ValueLayout.JAVA_FLOAT, 0), ids.asSlice(0, 4L * nTop).toArray(ValueLayout.JAVA_INT),
                    values.asSlice(0, 4L * nTop).toArray(ValueLayout.JAVA_FLOAT));
        } finally {
            release();
        }
    }

    /**
     * Embedding as computed, not normalised.
     *
     * @param index the batch's token, with pooling none
     * @param seq   the sequence, with any other pooling; else -1
     * @param n     {@code nEmbdOut}, or with pooling rank {@code nClsOut}
     */
    public float[] embeddings(int index, int seq, int n) {
        MemorySegment context = claim("embeddings");
        try {
            MemorySegment room = floats(n);
            Status.check(lucifer_context_embeddings(context, index, seq, room, n), "lucifer_context_embeddings",
                    Status.About.model(model.path()));
            return room.asSlice(0, 4L * n).toArray(ValueLayout.JAVA_FLOAT);
        } finally {
            release();
        }
    }

    /**
     * The logits of {@code n} outputs that follow each other, the first that of the batch's token {@code index}: a view of native memory,
     * valid until the next call with this context.
     */
    MemorySegment rows(int index, int n) {
        MemorySegment context = claim("logits");
        try {
            Status.check(lucifer_context_logits_rows(context, index, n, out), "lucifer_context_logits_rows");
            return out.get(ValueLayout.ADDRESS, 0).reinterpret(4L * n * model.description().nVocab());
        } finally {
            release();
        }
    }

    private MemorySegment floats(int n) {
        if (floats.byteSize() < 4L * n) {
            floats = arena().allocate(ValueLayout.JAVA_FLOAT, n);
        }
        return floats;
    }

    /** Waits until the device is done. */
    public void synchronize() {
        MemorySegment context = claim("synchronize");
        try {
            Status.check(lucifer_context_synchronize(context), "lucifer_context_synchronize");
        } finally {
            release();
        }
    }

    /** Forgets all sequences. */
    public void clear() {
        MemorySegment context = claim("clear memory");
        try {
            Status.check(lucifer_memory_clear(context), "lucifer_memory_clear");
        } finally {
            release();
        }
    }

    /**
     * Forgets positions from {@code p0} up to, not including, {@code p1}; negative: from the start, to the end.
     *
     * @return false when this kind of memory cannot forget these
     */
    public boolean remove(int seq, int p0, int p1) {
        MemorySegment context = claim("remove from memory");
        try {
            Status.check(lucifer_memory_remove(context, seq, p0, p1, out), "lucifer_memory_remove");
            return out.get(ValueLayout.JAVA_INT, 0) != 0;
        } finally {
            release();
        }
    }

    /** Lets another sequence share the positions {@code p0} to {@code p1} of one. */
    public void copy(int fromSeq, int toSeq, int p0, int p1) {
        MemorySegment context = claim("copy in memory");
        try {
            Status.check(lucifer_memory_copy(context, fromSeq, toSeq, p0, p1), "lucifer_memory_copy");
        } finally {
            release();
        }
    }

    /** Adds to the positions {@code p0} to {@code p1} (context shift); where {@code canShift} is false, unsupported. */
    public void shift(int seq, int p0, int p1, int delta) {
        MemorySegment context = claim("shift memory");
        try {
            Status.check(lucifer_memory_shift(context, seq, p0, p1, delta), "lucifer_memory_shift", Status.About.model(model.path()));
        } finally {
            release();
        }
    }

    /** Largest position of a sequence, -1 when it is empty. */
    public int posMax(int seq) {
        MemorySegment context = claim("position");
        try {
            Status.checkHot(lucifer_memory_pos_max(context, seq, out), "lucifer_memory_pos_max");
            return out.get(ValueLayout.JAVA_INT, 0);
        } finally {
            release();
        }
    }

    /** Smallest position of a sequence that is still in memory, -1 when it is empty. */
    public int posMin(int seq) {
        MemorySegment context = claim("position");
        try {
            Status.checkHot(lucifer_memory_pos_min(context, seq, out), "lucifer_memory_pos_min");
            return out.get(ValueLayout.JAVA_INT, 0);
        } finally {
            release();
        }
    }

    /** Writes a sequence's memory and the tokens that belong to it. The file is not atomic: give a temporary one. */
    public void saveState(int seq, Path file, int[] tokens) {
        MemorySegment context = claim("save state");
        try (Arena arena = Arena.ofConfined()) {
            int status = lucifer_state_save(context, seq, NativeText.in(arena, "file", file.toString()),
                    arena.allocateFrom(ValueLayout.JAVA_INT, tokens), tokens.length);
            Status.check(status, "lucifer_state_save", Status.About.model(file));
        } finally {
            release();
        }
    }

    /**
     * Replaces a sequence by a saved one.
     *
     * @return the tokens that were saved with it
     * @throws ai.luciferai.llama.core.InvalidFileException for a file that is no state, or one of another model
     */
    public int[] loadState(int seq, Path file) {
        MemorySegment context = claim("load state");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = NativeText.in(arena, "file", file.toString());
            MemorySegment tokens = arena.allocate(ValueLayout.JAVA_INT, initial.nCtx());
            int status = lucifer_state_load(context, seq, path, tokens, initial.nCtx(), out);
            Status.check(status, "lucifer_state_load", Status.About.model(file));
            return tokens.asSlice(0, 4L * out.get(ValueLayout.JAVA_INT, 0)).toArray(ValueLayout.JAVA_INT);
        } finally {
            release();
        }
    }

}
