package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.Progress;
import ai.luciferai.llama.core.UnsupportedModelException;
import ai.luciferai.llama.ffi.Batch;
import ai.luciferai.llama.ffi.Collector;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ContextParams;
import java.io.IOException;
import java.util.Map;

/**
 * Lets a model read the chunks of a text: several side by side where a batch has room, one in several batches where it has not, each with
 * the text's start token in front.
 *
 * <p><i>Source</i>: the loops of llama.cpp v0.5.0, tools/perplexity/perplexity.cpp and tools/imatrix/imatrix.cpp; the same batches give the
 * same bits.
 */
final class ChunkDecoder implements AutoCloseable {

    /** Hears what was computed. */
    interface Listener {

        /**
         * Predictions of a chunk can be read.
         *
         * @param index of the first in the batch
         * @param row   of the first among those of the chunk that count
         */
        void rows(ContextHandle context, int chunk, int index, int row, int n) throws IOException;

        /** So many chunks are done. Returns what progress shows beside it. */
        Map<String, Double> done(int chunks) throws IOException;
    }

    private final ContextHandle context;
    private final TextChunks chunks;
    private final int batchSize;
    private final int sideBySide;
    private final int bos;
    private final boolean allOutputs;

    /** @param imatrix what the context collects; then all tokens are computed to the end, and else only what counts */
    ChunkDecoder(Model model, TextChunks chunks, ContextOptions options, int imatrix) {
        model.requireCausal(imatrix == Collector.NONE ? "perplexity" : "imatrix");
        requireNoEos(model);
        this.chunks = chunks;
        this.sideBySide = Math.max(1, options.batchSize() / chunks.size());
        this.batchSize = Math.min(options.batchSize(), sideBySide * chunks.size());
        this.bos = model.info().special().addBos() ? model.info().special().bos() : -1;
        this.allOutputs = imatrix != Collector.NONE;
        ContextSetup.remarkBeyondTraining(chunks.size(), options.rope(), model.handle().description());
        ContextParams params = ContextSetup.params(options.withBatchSize(batchSize), chunks.size(), sideBySide);
        params.imatrix = imatrix;
        this.context = model.context(params);
    }

    /** Upstream asserts it: an end in front of each chunk's end would be one more token to predict. */
    private static void requireNoEos(Model model) {
        if (model.info().special().addEos()) {
            throw new UnsupportedModelException(model.info().path(), "reading a text in chunks",
                    "a tokenizer that adds no end to a text", "one that does");
        }
    }

    ContextHandle context() {
        return context;
    }

    void run(String phase, Listener listener, Progress progress, Cancel cancel) throws IOException {
        long total = (long) chunks.count() * chunks.size();
        progress.update(new Progress.Event(phase, 0, total, "tokens"));
        for (int chunk = 0; chunk < chunks.count(); chunk += sideBySide) {
            int n = Math.min(sideBySide, chunks.count() - chunk);
            context.clear();
            for (int start = 0; start < chunks.size(); start += batchSize) {
                cancel.check(phase);
                decode(chunk, n, start, listener, cancel);
            }
            Map<String, Double> metrics = listener.done(chunk + n);
            progress.update(new Progress.Event(phase, (long) (chunk + n) * chunks.size(), total, "tokens", metrics));
        }
    }

    /** Positions {@code start} and following of {@code n} chunks; several chunks fit into a batch only as a whole. */
    private void decode(int chunk, int n, int start, Listener listener, Cancel cancel)
            throws IOException {
        int length = Math.min(chunks.size() - start, batchSize);
        Batch batch = context.batch().clear();
        for (int sequence = 0; sequence < n; sequence++) {
            int from = (chunk + sequence) * chunks.size();
            for (int position = start; position < start + length; position++) {
                int token = position == 0 && bos >= 0 ? bos : chunks.tokens()[from + position];
                batch.add(token, position, sequence, allOutputs || position >= chunks.first());
            }
        }
        context.decode(cancel);
        int firstOutput = Math.max(start, chunks.first());
        int end = Math.min(start + length, chunks.size() - 1); // nothing tells what follows the last token
        for (int sequence = 0; sequence < n && firstOutput < end; sequence++) {
            listener.rows(context, chunk + sequence, sequence * length + firstOutput - start, firstOutput - chunks.first(),
                    end - firstOutput);
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
