package ai.luciferai.llama;

import ai.luciferai.llama.core.Cancel;
import ai.luciferai.llama.core.CancelledException;
import ai.luciferai.llama.ffi.Batch;
import ai.luciferai.llama.ffi.ContextHandle;
import ai.luciferai.llama.ffi.ModelDescription;
import java.nio.file.Path;

/**
 * Computes the tokens of a context's only sequence and knows which ones it holds.
 *
 * <p>After a failure it holds nothing, after a cancel what had been computed: {@link #tokens()} is always what the memory has.
 */
final class SequenceDecoder {

    private static final int SEQUENCE = 0;
    private static final int NO_ENCODER = -1;

    private final ContextHandle context;
    private final Batch batch;
    private final int window;
    private final int decoderStart;
    private final TokenList held = new TokenList();

    /**
     * A sequence without tokens.
     *
     * @param model whose context it is; one with an encoder reads a prompt with that, and the sequence holds the answer alone
     */
    SequenceDecoder(ContextHandle context, ModelDescription model) {
        this.context = context;
        this.batch = context.batch();
        this.window = model.nSwa();
        this.decoderStart = !model.hasEncoder() ? NO_ENCODER : model.decoderStart() >= 0 ? model.decoderStart() : model.tokenBos();
    }

    int size() {
        return held.size();
    }

    int[] tokens() {
        return held.toArray();
    }

    /** Forgets all that is not the beginning of the prompt; how many tokens are kept. */
    int keepPrefix(int[] prompt, boolean reuse) {
        int kept = reuse && decoderStart == NO_ENCODER ? PromptCache.reusable(held, prompt) : 0;
        if (kept == held.size()) {
            return kept;
        }
        if (!forgetFrom(kept)) {
            clear();
            return 0;
        }
        held.truncate(kept);
        return kept;
    }

    /** Recurrent models cannot go back to an earlier state, and a sliding window may have dropped what is needed. */
    private boolean forgetFrom(int position) {
        return PromptCache.windowCovers(position, context.posMin(SEQUENCE), window)
                && context.remove(SEQUENCE, position, -1);
    }

    void clear() {
        held.truncate(0);
        // not clear(): that writes zeros over the whole cache
        context.remove(SEQUENCE, -1, -1);
    }

    /** What stands in the sequence before the answer. */
    int[] before(int[] prompt) {
        return decoderStart == NO_ENCODER ? prompt : new int[] {decoderStart};
    }

    /** Computes the prompt from where the sequence ends; the last token gets logits. */
    void prompt(int[] prompt, Cancel cancel) {
        if (decoderStart == NO_ENCODER) {
            read(prompt, cancel);
        } else {
            encode(prompt, cancel);
            token(decoderStart, cancel);
        }
    }

    /** An encoder sees a prompt as a whole. */
    private void encode(int[] prompt, Cancel cancel) {
        batch.clear();
        for (int i = 0; i < prompt.length; i++) {
            batch.add(prompt[i], i, SEQUENCE, true);
        }
        context.encode(cancel);
    }

    private void read(int[] prompt, Cancel cancel) {
        while (held.size() < prompt.length) {
            int start = held.size();
            int end = Math.min(prompt.length, start + batch.capacity());
            batch.clear();
            for (int i = start; i < end; i++) {
                batch.add(prompt[i], i, SEQUENCE, i == prompt.length - 1);
            }
            held.addAll(prompt, start, end);
            decode(cancel);
        }
    }

    /** Computes one more token, with logits. */
    void token(int id, Cancel cancel) {
        batch.clear();
        batch.add(id, held.size(), SEQUENCE, true);
        held.add(id);
        decode(cancel);
    }

    private void decode(Cancel cancel) {
        try {
            context.decode(cancel);
        } catch (CancelledException e) {
            held.truncate(context.posMax(SEQUENCE) + 1);
            throw e;
        } catch (RuntimeException e) {
            abandon();
            throw e;
        }
    }

    /** A context that failed may refuse this too; what it refuses is no news. */
    private void abandon() {
        held.truncate(0);
        try {
            context.clear();
        } catch (RuntimeException poisoned) {
            // the failure that led here is what the caller gets
        }
    }

    void save(Path file) {
        context.saveState(SEQUENCE, file, held.toArray());
    }

    /** A file that is refused leaves the sequence as it is. */
    void load(Path file) {
        int[] tokens = context.loadState(SEQUENCE, file);
        held.truncate(0);
        held.addAll(tokens, 0, tokens.length);
    }
}
