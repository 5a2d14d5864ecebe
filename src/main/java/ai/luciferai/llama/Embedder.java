package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.ContextFullException;
import ai.luciferai.llama.core.InvalidOptionException;
import ai.luciferai.llama.ffi.Batch;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ContextParams;
import ai.luciferai.llama.ffi.ModelDescription;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Turns texts into vectors.
 *
 * <p><i>Ownership</i>: of whoever called {@link Model#embedder}; closed with the model at the latest. <i>Threads</i>: one at a time.
 */
public final class Embedder implements AutoCloseable {

    private final Model model;
    private final EmbedOptions options;
    private final Pooling pooling;
    private final int mostTokens;
    private final ContextHandle context;
    private final Occupancy occupancy;
    private final Child child;
    private int used;

    private Embedder(Model model, EmbedOptions options, Pooling pooling, int mostTokens, ContextHandle context) {
        this.model = model;
        this.options = options;
        this.pooling = pooling;
        this.mostTokens = mostTokens;
        this.context = context;
        this.occupancy = new Occupancy(context.name());
        this.child = Child.of(occupancy, this::release);
    }

    static Embedder open(Model model, EmbedOptions options) {
        ModelDescription description = model.handle().description();
        boolean causal = model.info().kind().decoder();
        int size = ContextSetup.contextSize(options.context(), description);
        // an encoder has a table of positions, which ends where its training did
        int most = causal ? size : Math.min(size, description.nCtxTrain());
        Pooling wanted = options.pooling() == Pooling.AUTO ? automatic(model.info().kind()) : options.pooling();
        ContextHandle context = model.context(params(options, wanted, most));
        Pooling pooling = Pooling.of(context.description().poolingType());
        int room = Math.min(context.description().nCtxSeq(), context.description().nBatch());
        return new Embedder(model, options, pooling == Pooling.AUTO ? wanted : pooling, Math.min(most, room), context);
    }

    private static Pooling automatic(ModelInfo.Kind kind) {
        boolean says = kind.pooling() != Pooling.AUTO && kind.pooling() != Pooling.NONE;
        return says ? kind.pooling() : kind.encoder() ? Pooling.MEAN : Pooling.LAST;
    }

    /** A text must be computed at once, so batch and micro-batch hold a whole one; several short ones share the room. */
    private static ContextParams params(EmbedOptions options, Pooling pooling, int most) {
        ContextOptions c = options.context();
        ContextParams p = ContextSetup.params(c, most, c.sequences());
        // llama.cpp plans an encoder's graph for sequences of equal length and asserts when they do not divide the batch
        p.nCtx = Math.ceilDiv(Math.max(most, c.batchSize()), c.sequences()) * c.sequences();
        p.nBatch = p.nCtx;
        p.nUbatch = p.nCtx;
        p.kvUnified = true;
        p.embeddings = true;
        p.poolingType = pooling.code();
        return p;
    }

    /** Length of a vector; with {@link Pooling#RANK} the number of scores. */
    public int dimensions() {
        ModelDescription d = model.handle().description();
        return pooling == Pooling.RANK ? d.nClsOut() : d.nEmbdOut();
    }

    /** How tokens are pooled, after {@link Pooling#AUTO} was decided. */
    public Pooling pooling() {
        return pooling;
    }

    /** Most tokens that a text may have. */
    public int mostTokens() {
        return mostTokens;
    }

    /** The vector of one text. */
    public float[] embed(String text) {
        return embedAll(List.of(text)).getFirst();
    }

    /**
     * The vectors of several texts, computed together where they fit.
     *
     * @throws ContextFullException a text is longer than {@link #mostTokens()}
     */
    public List<float[]> embedAll(List<String> texts) {
        Check.require(pooling != Pooling.NONE, "pooling", "any but NONE for one vector a text", pooling);
        return inside(() -> {
            List<int[]> tokens = tokens(texts);
            List<float[]> vectors = new ArrayList<>();
            while (vectors.size() < tokens.size()) {
                computeSome(tokens, vectors);
            }
            return vectors;
        });
    }

    /** One vector for each token of the text; needs {@link Pooling#NONE}. */
    public List<float[]> embedTokens(String text) {
        Check.require(pooling == Pooling.NONE, "pooling", "NONE for a vector a token", pooling);
        return inside(() -> {
            int[] tokens = tokens(List.of(text)).getFirst();
            begin();
            add(tokens, 0);
            compute();
            List<float[]> vectors = new ArrayList<>();
            for (int i = 0; i < tokens.length; i++) {
                vectors.add(finished(context.embeddings(i, -1, dimensions())));
            }
            return vectors;
        });
    }

    private List<int[]> tokens(List<String> texts) {
        List<int[]> all = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            String name = "text " + (i + 1);
            LeastTokens.requireFits(name, texts.get(i), mostTokens, model);
            int[] tokens = model.tokenize(texts.get(i));
            if (tokens.length == 0) {
                throw new InvalidOptionException(name, "at least one token", "an empty text");
            }
            if (tokens.length > mostTokens) {
                throw new ContextFullException(name, tokens.length, mostTokens);
            }
            all.add(tokens);
        }
        return all;
    }

    /** Computes the next texts, as many as fit into a batch. */
    private void computeSome(List<int[]> tokens, List<float[]> vectors) {
        begin();
        int first = vectors.size();
        int sequence = 0;
        while (first + sequence < tokens.size() && sequence < context.description().nSeqMax()
                && fits(tokens.get(first + sequence))) {
            add(tokens.get(first + sequence), sequence);
            sequence++;
        }
        compute();
        for (int i = 0; i < sequence; i++) {
            vectors.add(finished(context.embeddings(-1, i, dimensions())));
        }
    }

    /** The vectors of a model with an encoder are the encoder's. */
    private void compute() {
        if (model.handle().description().hasEncoder()) {
            context.encode(Cancel.NONE);
        } else {
            context.decode(Cancel.NONE);
        }
    }

    private void begin() {
        context.batch().clear();
        for (int i = 0; i < used; i++) {
            // not clear(): that writes zeros over the whole cache
            context.remove(i, -1, -1);
        }
        used = 0;
    }

    private boolean fits(int[] tokens) {
        Batch batch = context.batch();
        return batch.size() + tokens.length <= batch.capacity();
    }

    private void add(int[] tokens, int sequence) {
        for (int i = 0; i < tokens.length; i++) {
            context.batch().add(tokens[i], i, sequence, true);
        }
        used = context.description().hasMemory() ? sequence + 1 : 0;
    }

    private float[] finished(float[] vector) {
        return options.normalise() && pooling != Pooling.RANK ? normalised(vector) : vector;
    }

    static float[] normalised(float[] vector) {
        double squares = 0;
        for (float x : vector) {
            squares += (double) x * x;
        }
        float factor = squares > 0 ? (float) (1 / Math.sqrt(squares)) : 0;
        for (int i = 0; i < vector.length; i++) {
            vector[i] *= factor;
        }
        return vector;
    }

    /** Cosine of the angle between two vectors: 1 is the same direction. */
    public static double similarity(float[] a, float[] b) {
        Check.require(a.length == b.length, "vectors", "equal lengths", a.length + " and " + b.length);
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return aa == 0 || bb == 0 ? 0 : dot / Math.sqrt(aa * bb);
    }

    private <T> T inside(Supplier<T> work) {
        occupancy.enter("embed");
        try {
            return work.get();
        } finally {
            occupancy.leave();
        }
    }

    Child child() {
        return child;
    }

    @Override
    public void close() {
        if (occupancy.closeOnce()) {
            release();
        }
    }

    private void release() {
        context.close();
        model.children().remove(child);
    }
}
