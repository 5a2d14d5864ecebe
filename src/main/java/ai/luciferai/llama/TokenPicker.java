package ai.luciferai.llama;

import ai.luciferai.llama.ffi.ContextHandle;
import java.util.ArrayList;
import java.util.List;

/** Adds log-probabilities, where they are wanted, to the token that was chosen. */
final class TokenPicker {

    /** The last token of the batch that has logits. */
    static final int LAST_OUTPUT = -1;

    private final ContextHandle context;
    private final Vocabulary vocabulary;
    private final GenerateOptions options;

    TokenPicker(ContextHandle context, Vocabulary vocabulary, GenerateOptions options) {
        this.context = context;
        this.vocabulary = vocabulary;
        this.options = options;
    }

    /** @param output index in the batch of the logits that it was chosen from */
    Token accept(TextTrack track, int id, int output, boolean hasRoom) {
        if (!options.wantsLogprobs()) {
            return track.accept(id, Float.NaN, List.of(), hasRoom);
        }
        ContextHandle.Logprobs logprobs = context.logprobs(output, id, Math.min(options.logprobs(), vocabulary.size()));
        return track.accept(id, logprobs.token(), alternatives(logprobs), hasRoom);
    }

    private List<Token.Alternative> alternatives(ContextHandle.Logprobs logprobs) {
        List<Token.Alternative> top = new ArrayList<>();
        for (int i = 0; i < logprobs.topIds().length; i++) {
            int id = logprobs.topIds()[i];
            top.add(new Token.Alternative(id, vocabulary.text(id), logprobs.top()[i]));
        }
        return top;
    }
}
